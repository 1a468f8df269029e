// driver.js - Chromium for a test: serves the example's page, opens it in tabs of separate profiles and runs scripts in
// them, asked over HTTP. Usage: node driver.js FOLDER_OF_THE_PAGE PROFILE_FOLDER
//   POST /open/NAME     open the page in a new tab; body: script to run before the page's own
//   POST /open-foreign/NAME  the same under another origin
//   POST /run/NAME      run the body as the inside of an async function; answer: {"value":...} or {"error":"..."}
//   POST /reload/NAME   as the user's reload button does
//   POST /crash/NAME    the tab dies without a word
//   POST /close/NAME    the tab is closed
'use strict';
const { spawn } = require('node:child_process');
const { openSync } = require('node:fs');
const { createServer } = require('node:http');
const { createInterface } = require('node:readline');

const [folder, profile] = process.argv.slice(2);
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

function startPage() {
	const server = spawn('node', [`${folder}/serve.js`, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });

	return new Promise((done, fail) => {
		createInterface(server.stdout).on('line', (line) => done(line.match(/http:\S+/)[0]));
		server.on('exit', () => fail(new Error('the page is not served')));
	});
}

// The DevTools protocol over a pipe: messages end with a zero byte.
class Browser {
	waiting = new Map();
	next = 1;

	constructor() {
		const child = spawn(process.env.CHROMIUM || 'chromium', [
			'--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe',
			`--user-data-dir=${profile}`, '--no-first-run', '--disable-background-networking', '--disable-component-update',
			'--disable-sync', '--disable-default-apps', '--disable-extensions', '--disable-domain-reliability', '--no-pings',
			'--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
			'--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost', // nothing outside this machine
			'--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--mute-audio',
			'--autoplay-policy=no-user-gesture-required', '--allow-loopback-in-peer-connection',
			'--disable-features=WebRtcHideLocalIpsWithMdns,MediaRouter,OptimizationHints', 'about:blank',
		], { stdio: ['ignore', 'ignore', openSync(`${profile}.log`, 'w'), 'pipe', 'pipe'] });
		let rest = '';

		child.on('exit', (code) => { console.log(`chromium ended: ${code}`); process.exit(1); });
		this.in = child.stdio[3];
		child.stdio[4].setEncoding('utf8').on('data', (text) => {
			const messages = (rest + text).split('\0');

			rest = messages.pop();
			messages.forEach((message) => this.heard(JSON.parse(message)));
		});
	}

	heard(message) {
		const call = this.waiting.get(message.id);

		this.waiting.delete(message.id);
		if (message.error)
			call?.fail(new Error(message.error.message));
		else
			call?.done(message.result);
	}

	send(method, params = {}, sessionId = undefined) {
		const id = this.next++;

		this.in.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
		return new Promise((done, fail) => this.waiting.set(id, { done, fail }));
	}
}

// Candidates of other interfaces stay out of the descriptions: all sound flows over loopback.
const onlyLoopback = `{
	const kept = (sdp) => sdp.split('\\r\\n').filter((l) => !l.startsWith('a=candidate') || / 127\\.0\\.0\\.1 /.test(l)).join('\\r\\n');
	const local = Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, 'localDescription');
	Object.defineProperty(RTCPeerConnection.prototype, 'localDescription', { get() {
		const d = local.get.call(this);
		return d && { type: d.type, sdp: (window.onDescription ?? ((s) => s))(kept(d.sdp)) };
	} });
}`;

class Tab {
	static async open(browser, url, script) {
		const tab = new Tab();

		tab.browser = browser;
		tab.context = (await browser.send('Target.createBrowserContext')).browserContextId;
		tab.target = (await browser.send('Target.createTarget', { url: 'about:blank', browserContextId: tab.context })).targetId;
		tab.session = (await browser.send('Target.attachToTarget', { targetId: tab.target, flatten: true })).sessionId;
		await tab.send('Page.enable');
		await tab.send('Page.addScriptToEvaluateOnNewDocument', { source: onlyLoopback + script });
		await tab.send('Page.navigate', { url });
		await tab.ready();
		return tab;
	}

	send(method, params) {
		return this.browser.send(method, params, this.session);
	}

	async ready() {
		for (let i = 0; i < 200 && !(await this.run('return document.readyState === "complete" && !!window.phone').catch(() => false)); i++)
			await wait(25);
	}

	async run(body) {
		const { result, exceptionDetails } = await this.send('Runtime.evaluate',
			{ expression: `(async () => {${body}\n})()`, awaitPromise: true, returnByValue: true });

		if (exceptionDetails)
			throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
		return result.value ?? null;
	}

	async reload() {
		await this.run('window.phone = null; setTimeout(() => location.reload(), 0)');
		await wait(100);
		await this.ready();
	}

	async crash() {
		this.send('Page.crash').catch(() => {}); // never answered
		await wait(50);
	}

	async close() {
		await this.browser.send('Target.disposeBrowserContext', { browserContextId: this.context });
	}
}

async function main() {
	const url = await startPage(), browser = new Browser(), tabs = new Map();
	const verbs = {
		async open(name, body) { tabs.set(name, await Tab.open(browser, url, body)); },
		async 'open-foreign'(name, body) { tabs.set(name, await Tab.open(browser, url.replace('127.0.0.1', 'localhost'), body)); },
		run: (name, body) => tabs.get(name).run(body),
		reload: (name) => tabs.get(name).reload(),
		crash: (name) => tabs.get(name).crash(),
		close: (name) => tabs.get(name).close(),
	};
	const server = createServer(async (request, response) => {
		const [, verb, name] = request.url.split('/');
		let body = '', answer;

		for await (const part of request)
			body += part;
		try {
			answer = { value: await verbs[verb](name, body) ?? null };
		} catch (error) {
			answer = { error: String(error) };
		}
		response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer));
	});

	await browser.send('Browser.getVersion').then(({ product }) => console.log(product));
	server.listen(0, '127.0.0.1', () => console.log(`page ${new URL(url).origin}\nready http://127.0.0.1:${server.address().port}\n`));
}
main().catch((error) => { console.log(String(error)); process.exit(1); });
