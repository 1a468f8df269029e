/* tabs.c - the test's side of browser/driver.js: requests over HTTP. */
#include "tabs.h"

#include "proc.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READY_MS = 30000, ANSWER_MS = 20000 };

static struct proc *driver;
static char control[64], page[64];

/* In every page: hear() tells the Hz of the loudest tone, once there is one; `told` is the last remote description. Chromium gives a remote stream's sound to WebAudio
 * only while an element plays it, as the page's does. */
static const char ear[] =
	"window.hear = async () => {"
	"	const context = new AudioContext(), analyser = context.createAnalyser();"
	"	for (let i = 0; i < 100 && !phone.remote?.getAudioTracks().length; i++)"
	"		await new Promise((done) => setTimeout(done, 50));"
	"	await context.resume();"
	"	analyser.fftSize = 8192; analyser.smoothingTimeConstant = 0;"
	"	context.createMediaStreamSource(phone.remote).connect(analyser);"
	"	const bins = new Float32Array(analyser.frequencyBinCount);"
	"	let hz = 0;"
	"	for (let i = 0; i < 100 && !hz; i++) {"
	"		await new Promise((done) => setTimeout(done, 50));"
	"		analyser.getFloatFrequencyData(bins);"
	"		const at = bins.indexOf(Math.max(...bins));"
	"		if (bins[at] > -50) hz = Math.round(at * context.sampleRate / analyser.fftSize);"
	"	}"
	"	await context.close();"
	"	return hz;"
	"};"
	"const take = RTCPeerConnection.prototype.setRemoteDescription;"
	"RTCPeerConnection.prototype.setRemoteDescription = function (d) { window.told = d.sdp; return take.call(this, d); };";

static void word(const char *text, const char *name, char *out, size_t size)
{
	const char *at = strstr(text, name);
	at = at ? at + strlen(name) : "";
	snprintf(out, size, "%.*s", (int)strcspn(at, "\r\n"), at);
}

static bool copy_page(const char *to)
{
	char command[512];
	snprintf(command, sizeof(command), "cp %s/*.js %s/index.html '%s/'", BROWSER_PAGE, BROWSER_PAGE, to);
	const char *const argv[] = { "sh", "-c", command, NULL };
	return proc_run(argv, NULL, NULL, 5000) == 0;
}

const char *tabs_open(void)
{
	static char why[512];
	char *out = NULL, *browser = getenv("CHROMIUM");
	if (!proc_installed(browser ? browser : "chromium"))
		return "SKIPPED: chromium is not installed";
	const char *const install[] = { "bash", BROWSER_INSTALL, BROWSER_NPM, BROWSER_PAGE, NULL };
	int status = proc_run(install, &out, NULL, 300000);
	snprintf(why, sizeof(why), "%s", out && *out ? out : "npm packages cannot be installed");
	why[strcspn(why, "\n")] = '\0';
	free(out);
	if (status != 0)
		return why;
	if (!copy_page(BROWSER_NPM))
		return "the page cannot be copied to " BROWSER_NPM;
	char profile[128];
	snprintf(profile, sizeof(profile), "%s/chromium", proc_temp_dir());
	const char *const argv[] = { "node", BROWSER_DRIVER, BROWSER_NPM, profile, NULL };
	driver = proc_start(argv, NULL, NULL);
	bool ready = driver && proc_wait_output(driver, "ready http", READY_MS);
	out = driver ? proc_output(driver) : strdup("");
	word(out, "ready ", control, sizeof(control));
	word(out, "page ", page, sizeof(page));
	if (!ready)
		fprintf(stderr, "the browser does not start:\n%s\n", out);
	free(out);
	return ready ? NULL : "the browser does not start";
}

const char *tabs_origin(void)
{
	return page;
}

void tabs_close(void)
{
	proc_stop(driver, 5000);
	driver = NULL;
}

/* Kept until the next. */
static const char *ask(const char *verb, const char *name, const char *body)
{
	static struct http_reply reply;
	static char value[32];
	char url[256];
	snprintf(url, sizeof(url), "%s/%s/%s", control, verb, name);
	struct http_request request = { .method = "POST", .url = url, .body = body, .timeout_ms = ANSWER_MS };
	http_free(&reply);
	http_send(&request, &reply);
	struct json_object *got = json_at(reply.json, "value");
	if (!reply.json || json_at(reply.json, "error")) {
		fprintf(stderr, "%s of %s: %s\n", verb, name, reply.body);
		return NULL;
	}
	if (!got || json_object_is_type(got, json_type_string))
		return json_text(reply.json, "value");
	snprintf(value, sizeof(value), "%s", json_object_get_string(got));
	return value;
}

bool tab_open(const char *name, bool foreign)
{
	return ask(foreign ? "open-foreign" : "open", name, ear) != NULL;
}

bool tab_do(const char *name, const char *verb)
{
	return ask(verb, name, "") != NULL;
}

const char *tab_run(const char *name, const char *script, ...)
{
	char text[4096];
	va_list ap;
	va_start(ap, script);
	vsnprintf(text, sizeof(text), script, ap);
	va_end(ap);
	const char *value = ask("run", name, text);
	return value ? value : "error";
}

bool tab_wait(const char *name, const char *state, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	const char *now;
	do {
		now = tab_run(name, "return phone.state");
		if (strncmp(now, state, strlen(state)) == 0)
			return true;
		nap_ms(25);
	} while (now_ms() < deadline);
	fprintf(stderr, "the tab of %s is \"%s\", not \"%s\"\n", name, now, state);
	return false;
}

bool tab_register(const char *name, const struct gateway *gw, const struct user *user, const char *url, int tone_hz)
{
	tab_run(name, "phone.register({ url: '%s', domain: '%s', username: '%s', password: '%s', tone: %d })", url, gw->domain,
		user->username, user->password, tone_hz);
	return tab_wait(name, "registered", 8000);
}

int tab_hears(const char *name)
{
	return atoi(tab_run(name, "return hear()"));
}
