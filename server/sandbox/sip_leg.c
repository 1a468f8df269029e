/* sip_leg.c - a real SIP callee. */
#include "sip_leg.h"
#include "sip_ua.h"

struct sip_leg *sip_leg_new(struct call *call)
{
	(void)call;
	return NULL;
}
void sip_leg_end(struct sip_leg *leg)
{
	(void)leg;
}
void sip_leg_free(struct sip_leg *leg)
{
	(void)leg;
}
void sip_leg_play(struct sip_leg *leg, enum sound sound)
{
	(void)leg;
	(void)sound;
}
void sip_leg_join(struct sip_leg *a, struct sip_leg *b)
{
	(void)a;
	(void)b;
}
void sip_leg_part(struct sip_leg *leg)
{
	(void)leg;
}
struct sip_ua *sip_ua_open(struct sandbox *sandbox, const char *listen, const char *proxy, char *why, size_t why_len)
{
	(void)sandbox;
	(void)listen;
	(void)proxy;
	snprintf(why, why_len, "no SIP");
	return NULL;
}
void sip_ua_close(struct sip_ua *ua)
{
	(void)ua;
}
