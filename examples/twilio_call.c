/* twilio_call.c - with Twilio alone, no gateway: call TO, say a sentence, wait for the end. What to do when nobody knows
 * whether the call was placed is the part worth reading.
 * Usage: twilio_call FROM TO      account and token in NEXUSVOIP_TWILIO_ACCOUNT_SID and NEXUSVOIP_TWILIO_AUTH_TOKEN */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <nexusvoip/nexusvoip.h>

static char *sentence(struct nxv_error *err)
{
	nxv_twiml *twiml = nxv_twiml_new();
	char *text = NULL;

	nxv_twiml_open(twiml, "Say");
	nxv_twiml_attr(twiml, "language", "en-GB");
	nxv_twiml_text(twiml, "Hello. This call was placed by a C program.");
	nxv_twiml_close(twiml);
	nxv_twiml_element(twiml, "Hangup", NULL);
	nxv_twiml_take(twiml, &text, err);
	nxv_twiml_free(twiml);
	return text;
}

static nxv_status wait_for_end(nxv_twilio *twilio, struct nxv_twilio_call **call, struct nxv_error *err)
{
	nxv_status status = NXV_OK;

	while (!status && !(*call)->ended) {
		struct nxv_twilio_call *now = NULL;

		nanosleep(&(struct timespec){ .tv_sec = 2 }, NULL);
		status = nxv_twilio_call_fetch(twilio, (*call)->sid, &now, err);
		if (status)
			break;
		nxv_twilio_call_free(*call);
		*call = now;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_twilio_opts opts = NXV_TWILIO_OPTS_INIT;
	struct nxv_twilio_call_opts what = NXV_TWILIO_CALL_OPTS_INIT;
	struct nxv_twilio_call *call = NULL;
	nxv_twilio *twilio = NULL;
	char *twiml = NULL;
	int rc = 1;

	if (argc != 3) {
		fprintf(stderr, "usage: twilio_call FROM TO\n");
		return 2;
	}
	opts.account_sid = getenv("NEXUSVOIP_TWILIO_ACCOUNT_SID");
	opts.auth_token = getenv("NEXUSVOIP_TWILIO_AUTH_TOKEN");
	opts.base_url = getenv("NEXUSVOIP_TWILIO_BASE_URL"); /* NULL: Twilio itself */
	twiml = sentence(&err);
	if (!twiml || nxv_twilio_open(&opts, &twilio, &err) != NXV_OK)
		goto out;
	what.from = argv[1];
	what.to = argv[2];
	what.twiml = twiml;
	what.time_limit_seconds = 60;
	if (nxv_twilio_call_create(twilio, &what, &call, &err) != NXV_OK) {
		/* Any other failure means: there is no call, and trying again is safe. */
		if (nxv_twilio_is_unknown(&err))
			fprintf(stderr, "twilio_call: look at the account's list of calls before you try again\n");
		goto out;
	}
	printf("%s %s\n", call->sid, call->status);
	if (wait_for_end(twilio, &call, &err) != NXV_OK)
		goto out;
	printf("%s %s, %lld seconds\n", call->sid, call->status, (long long)call->duration_seconds);
	rc = 0;
out:
	if (rc != 0)
		fprintf(stderr, "twilio_call: %s\n", err.message);
	nxv_twilio_call_free(call);
	nxv_twilio_close(twilio);
	free(twiml);
	return rc;
}
