// phone.js - a phone on JsSIP: registers over WebSocket, rings, answers, dials. One call at a time.
import JsSIP from 'jssip';

const $ = (id) => document.getElementById(id);

class Phone {
	state = 'not registered'; // registered, ringing, calling, talking, held, or why it is none of them
	ua = null;
	session = null;
	remote = null; // MediaStream of the other party
	tone = 0;
	moved = false; // the connection broke, and another one will be made

	register({ url, domain, username, password, tone }) {
		this.ua?.stop();
		this.tone = Number(tone) || 0;
		this.ua = new JsSIP.UA({
			sockets: [new JsSIP.WebSocketInterface(url)],
			uri: `sip:${username}@${domain}`,
			password,
			register_expires: 300,
		});
		this.ua.on('registered', () => {
			if (this.session && this.moved)
				this.session.renegotiate({ useUpdate: true }); // over another connection: say where we are now
			else if (!this.session)
				this.say('registered');
			this.moved = false;
		});
		this.ua.on('unregistered', () => this.say('not registered'));
		this.ua.on('registrationFailed', (e) => this.say(`registration failed: ${e.cause} ${e.response?.status_code ?? ''}`));
		this.ua.on('disconnected', () => {
			this.moved = true;
			if (!this.session)
				this.say('not connected: is the URL right, and this page among sip.ws_origins?');
		});
		this.ua.on('newRTCSession', ({ session }) => this.take(session));
		this.ua.start();
	}

	// A new call, from here or to here.
	take(session) {
		const incoming = session.direction === 'incoming';

		if (this.session) {
			if (incoming)
				session.terminate({ status_code: 486 });
			return;
		}
		this.session = session;
		this.say(incoming ? `ringing: ${session.remote_identity.display_name || session.remote_identity.uri.user}` : 'calling');
		session.on('peerconnection', ({ peerconnection }) => this.listen(peerconnection));
		if (session.connection)
			this.listen(session.connection);
		session.on('confirmed', () => this.say('talking'));
		session.on('hold', () => this.say('held'));
		session.on('unhold', () => this.say('talking'));
		session.on('ended', (e) => this.over(e.cause, e.originator));
		session.on('failed', (e) => this.over(e.cause, e.originator));
	}

	over(cause, originator) {
		this.session = null;
		this.remote = null;
		this.say(`over: ${cause} (${originator})`);
	}

	listen(connection) {
		connection.addEventListener('track', (e) => {
			this.remote = e.streams[0] ?? new MediaStream([e.track]);
			$('sound').srcObject = this.remote;
		});
	}

	// What we send: the microphone, or a tone where there is none.
	async sound() {
		if (!this.tone)
			return navigator.mediaDevices.getUserMedia({ audio: true });
		this.context ??= new AudioContext();
		await this.context.resume();
		const oscillator = this.context.createOscillator(), out = this.context.createMediaStreamDestination();
		oscillator.frequency.value = this.tone;
		oscillator.connect(out);
		oscillator.start();
		return out.stream;
	}

	// A call on one machine, or in one network, needs no STUN server; add yours here for others.
	options(mediaStream) {
		return { mediaStream, pcConfig: { iceServers: [] }, mediaConstraints: { audio: true, video: false } };
	}

	async dial(to) {
		this.ua.call(to, this.options(await this.sound()));
	}

	async answer() {
		this.session?.answer(this.options(await this.sound()));
	}

	hangup() {
		const rings = this.session?.direction === 'incoming' && !this.session.isEstablished();

		this.session?.terminate(rings ? { status_code: 603 } : {});
	}

	// Done when the other side has taken it.
	hold() {
		return new Promise((done) => {
			if (this.session?.isOnHold().local)
				this.session.unhold({}, done);
			else
				this.session?.hold({}, done);
		});
	}

	say(state) {
		this.state = state;
		$('state').textContent = state;
		$('log').textContent += `${new Date().toISOString()} ${state}\n`;
	}
}

const phone = new Phone();
window.phone = phone; // for the console, and for the tests

$('account').addEventListener('submit', (e) => {
	e.preventDefault();
	phone.register(Object.fromEntries(new FormData(e.target)));
});
$('dial').addEventListener('submit', (e) => {
	e.preventDefault();
	phone.dial(new FormData(e.target).get('to'));
});
$('answer').addEventListener('click', () => phone.answer());
$('hangup').addEventListener('click', () => phone.hangup());
$('hold').addEventListener('click', () => phone.hold());
window.addEventListener('pagehide', () => phone.ua?.stop()); // hangs up and unregisters, if there is time
