// serve.js - bundles phone.js with JsSIP and serves the page on loopback. Usage: node serve.js [PORT]
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { buildSync } from 'esbuild';

const here = (name) => new URL(name, import.meta.url);
const script = buildSync({
	entryPoints: [here('phone.js').pathname], bundle: true, write: false, format: 'iife', target: 'es2020', logLevel: 'warning',
}).outputFiles[0].text;
const files = {
	'/': ['text/html; charset=utf-8', readFileSync(here('index.html'))],
	'/phone.js': ['text/javascript; charset=utf-8', script],
};

const server = createServer((request, response) => {
	const [type, text] = files[new URL(request.url, 'http://page').pathname] ?? ['text/plain', null];

	response.writeHead(text === null ? 404 : 200, { 'Content-Type': type, 'Cache-Control': 'no-store' });
	response.end(text ?? 'There is only / here.\n');
});
server.listen(Number(process.argv[2] ?? 8000), '127.0.0.1', () => {
	console.log(`Open http://127.0.0.1:${server.address().port}/ in a browser`);
});
