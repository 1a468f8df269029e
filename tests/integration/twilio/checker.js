// checker.js - a server on loopback that judges requests to Twilio's API by Twilio's own published description, in two ways:
// by itself it refuses what the description does not name (Prism lets that pass), then Prism judges values and answers.
// Says "READY port" and ends with its standard input. GET /unsent: the described parameters that nobody sent yet.
// Usage: NODE_PATH=.../node_modules node checker.js FOLDER [SERVER]
//   FOLDER: for the part of the description that is used. SERVER: asked, and its answers judged; without it Prism makes them up.
"use strict";
const fs = require("fs");
const http = require("http");
const net = require("net");
const path = require("path");
const { spawn } = require("child_process");

const [, , folder, server_url] = process.argv;
const modules = process.env.NODE_PATH;
const whole = JSON.parse(fs.readFileSync(path.join(modules, "@twilio/cli-core/src/services/twilio-api/twilio_api_v2010.json")));
const used = Object.keys(whole.paths).filter((p) => /\/Calls(\/\{Sid\})?\.json$|\/Calls\/\{CallSid\}\/Recordings|Accounts\/\{AccountSid\}\/(Recordings(\/\{Sid\})?|IncomingPhoneNumbers|OutgoingCallerIds)\.json$|Accounts\/\{Sid\}\.json$/.test(p));
const api = { ...whole, paths: Object.fromEntries(used.map((p) => [p, whole.paths[p]])) };
const operations = []; // { method, path, regex, query, body, required }
const FORM = "application/x-www-form-urlencoded";

for (const template of used)
	for (const method of ["get", "post", "delete"]) {
		const operation = api.paths[template][method];
		if (!operation)
			continue;
		const content = operation.requestBody && operation.requestBody.content[FORM];
		const body = content ? content.schema.properties : {};
		// The description forgets to say that lists are sent as a repeated parameter.
		for (const name of Object.keys(body))
			if (body[name].type === "array")
				content.encoding = { ...content.encoding, [name]: { style: "form", explode: true } };
		// It calls the paths in its own example lists "uri", which they are not.
		for (const reply of Object.values(operation.responses))
			for (const schema of Object.values((((reply.content || {})["application/json"] || {}).schema || {}).properties || {}))
				if (schema.format === "uri")
					schema.format = "uri-reference";
		operations.push({
			id: operation.operationId, method: method.toUpperCase(),
			regex: new RegExp("^" + template.replace(/[.]/g, "\\.").replace(/\{[^}]+\}/g, "[^/]+") + "$"),
			query: Object.fromEntries((operation.parameters || []).filter((p) => p.in === "query").map((p) => [p.name, p.schema])),
			body, sent: new Set(),
		});
	}

// Why a request is none of the API's; null if it is one.
function judge(request, url, text) {
	const operation = operations.find((o) => o.method === request.method && o.regex.test(url.pathname));
	if (!operation)
		return `no operation ${request.method} ${url.pathname}`;
	if (text && request.headers["content-type"] !== FORM)
		return `content type ${request.headers["content-type"]}`;
	for (const [given, described, where] of [[url.searchParams, operation.query, "query"], [new URLSearchParams(text), operation.body, "form"]])
		for (const name of given.keys()) {
			if (!(name in described))
				return `${operation.id} has no ${where} parameter ${name}`;
			if (given.getAll(name).length > 1 && described[name].type !== "array")
				return `${operation.id}: ${name} is there twice`;
			operation.sent.add(name);
		}
	return null;
}

function answer(response, status, body) {
	const text = JSON.stringify(body);
	response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
	response.end(text);
}

function freePort() {
	return new Promise((resolve) => {
		const server = net.createServer().listen(0, "127.0.0.1", () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
}

async function main() {
	const file = path.join(folder, `used-${process.pid}.json`), port = await freePort();
	fs.writeFileSync(file, JSON.stringify(api));
	const prism = spawn(process.execPath, [path.join(modules, "@stoplight/prism-cli/dist/index.js"), server_url ? "proxy" : "mock", "--errors", "-h", "127.0.0.1", "-p", String(port), file,
		...(server_url ? [server_url] : [])],
		{ stdio: ["ignore", "pipe", "pipe"] });
	const end = () => {
		prism.kill();
		fs.rmSync(file, { force: true });
		process.exit(0);
	};
	process.stdin.on("end", end).resume();
	prism.on("exit", end);
	const server = http.createServer((request, response) => {
		const chunks = [];
		request.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
			const body = Buffer.concat(chunks), url = new URL(request.url, "http://127.0.0.1");
			if (url.pathname === "/unsent")
				return answer(response, 200, Object.fromEntries(operations.map((o) => [o.id,
					[...Object.keys(o.query), ...Object.keys(o.body)].filter((name) => !o.sent.has(name))])));
			const fault = judge(request, url, body.toString());
			if (fault)
				return answer(response, 422, { code: 99001, message: `checker: ${fault}` });
			const forward = http.request({ host: "127.0.0.1", port, path: request.url, method: request.method, headers: request.headers }, (from) => {
				const parts = [];
				from.on("data", (part) => parts.push(part)).on("end", () => {
					const said = Buffer.concat(parts);
					if (/problem\+json/.test(from.headers["content-type"] || "")) {
						const problem = JSON.parse(said);
						const why = (problem.validation || []).map((v) => `${v.location.join(".")} ${v.message}`).join("; ");
						return answer(response, 422, { code: 99002, message: `Prism: ${problem.title}: ${why || problem.detail}` });
					}
					response.writeHead(from.statusCode, { "content-type": from.headers["content-type"] || "text/plain", "content-length": said.length });
					response.end(said);
				});
			});
			forward.on("error", (e) => answer(response, 500, { code: 99003, message: String(e) }));
			forward.end(body);
		});
	});
	let log = "";
	const ready = (chunk) => {
		log += chunk;
		if (server.listening || !/Prism is listening/.test(log))
			return;
		server.listen(0, "127.0.0.1", () => console.log(`READY ${server.address().port}`));
	};
	prism.stdout.on("data", ready);
	prism.stderr.on("data", (chunk) => process.stderr.write(chunk));
}
main();
