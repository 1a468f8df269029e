// helper.js - what Twilio's own Node helper computes, for random input, a JSON text a line.
// Usage: NODE_PATH=.../node_modules node helper.js signatures|twiml COUNT SEED
"use strict";
const crypto = require("crypto");
const webhooks = require("twilio/lib/webhooks/webhooks");
const VoiceResponse = require("twilio/lib/twiml/VoiceResponse");

const [what, count, seed] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
let counter = 0;
function random(n) { // 0 <= x < n, the same for the same seed
	return crypto.createHash("sha256").update(`${seed}:${counter++}`).digest().readUInt32BE(0) % n;
}
const pick = (list) => list[random(list.length)];
const pieces = ["a", "Z", "0", " ", "+", "&", "=", "%", "%41", "<", ">", "\"", "'", "]]>", "&amp;", "\t", "\n", "\r\n", "\\", "/", "é", "☎", "\uFF5E",
	"\u{1F600}", "\u{10FFFF}", "\u200B", "--", "<!--", "sip:a@b;x?y=z", "+12025550123", "\u007f", "\ue000"];
const bad = ["\u0001", "\u000b", "\u001f", "\ufffe", "\uffff"];
const text = (longest) => Array.from({ length: random(longest + 1) }, () => pick(pieces)).join("");
const word = () => Array.from({ length: 1 + random(8) }, () => pick([..."abcXYZ019_."])).join("");

function signature() {
	const token = crypto.createHash("md5").update(String(random(1e9))).digest("hex");
	const scheme = pick(["https", "http"]);
	const host = `${scheme}://gw.example.net`, standard = scheme === "https" ? ":443" : ":80";
	const port = pick(["", "", ":8443", standard]);
	const query = pick(["", `?x=${word()}`, `?a=1&b=${encodeURIComponent(text(3))}`]);
	const rest = `/${word()}${query}`, url = host + port + rest;
	if (random(5) === 0) {
		const body = JSON.stringify({ [word()]: text(6) });
		const hash = crypto.createHash("sha256").update(body).digest("hex");
		const signed = `${url}${query ? "&" : "?"}bodySHA256=${hash}`;
		return { token, url: signed, body, signature: webhooks.getExpectedTwilioSignature(token, signed, {}) };
	}
	const params = {};
	for (let i = random(12); i > 0; i--)
		params[word()] = random(6) ? text(8) : Array.from({ length: 1 + random(4) }, () => text(2));
	const pairs = [];
	for (const key of Object.keys(params))
		for (const value of [].concat(params[key]))
			pairs.push([key, value]);
	// Twilio signs the URL with or without the port, whatever it was given.
	const signed = host + pick(["", port || standard]) + rest;
	return { token, url, params: pairs, signature: webhooks.getExpectedTwilioSignature(token, signed, params) };
}

// Each verb is called on the helper and noted for us: [open, attributes, text, close].
const verbs = {
	Response: ["Say", "Play", "Dial", "Pause", "Hangup", "Record", "Redirect", "Gather", "Reject", "Start"],
	Dial: ["Number", "Sip", "Client", "Conference", "Queue"], Gather: ["Say", "Play", "Pause"], Start: ["Recording", "Stream"],
};
const speaks = ["Say", "Play", "Redirect", "Number", "Sip", "Client", "Conference", "Queue", "Dial"];
function build(node, name, depth, steps, nasty) {
	for (let i = random(4); i > 0; i--) {
		const verb = pick(verbs[name]), attributes = {};
		steps.push(["open", verb]);
		for (let k = random(3); k > 0; k--) {
			const key = pick(["action", "method", "statusCallback", "timeLimit", "voice", "loop"]);
			if (key in attributes)
				continue;
			attributes[key] = key === "loop" ? random(100) : text(5) || "x";
			steps.push(["attr", key, String(attributes[key])]);
		}
		const said = speaks.includes(verb) ? text(6) + (nasty && random(2) ? pick(bad) : "") : null;
		const method = verb[0].toLowerCase() + verb.slice(1);
		const child = said === null ? node[method](attributes) : node[method](attributes, said);
		if (said)
			steps.push(["text", said]);
		if (verbs[verb] && depth < 3)
			build(child, verb, depth + 1, steps, nasty);
		steps.push(["close"]);
	}
}
function twiml() {
	const response = new VoiceResponse(), steps = [];
	let xml = null; // null: the helper refuses
	try {
		build(response, "Response", 0, steps, random(8) === 0);
		xml = response.toString();
	} catch (e) {
		if (!/Invalid character/.test(e.message))
			throw e;
		steps.push(["text", "\u0001"]); // the step that failed was not noted whole
	}
	return { steps, xml };
}
for (let i = 0; i < count; i++)
	console.log(JSON.stringify(what === "twiml" ? twiml() : signature()));
