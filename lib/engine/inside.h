/* inside.h - what the engine holds while it runs; shared by the files of lib/engine only. */
#ifndef NXV_ENGINE_INSIDE_H
#define NXV_ENGINE_INSIDE_H

#include <pthread.h>

#include "base/leg_token.h"
#include "ctx.h"
#include "engine/request.h"
#include "engine/waiters.h"
#include "loop/loop.h"
#include "session/calls.h"
#include "sip/manager.h"

struct command_socket;
struct trace_log;

struct engine {
	nxv_ctx *ctx;
	struct loop *loop;
	int lock_fd;                 /**< holds <state>/engine.lock */
	struct command_socket *socket;
	struct waiters *waiters;
	struct trace_log *trace;     /**< timelines of calls; NULL: none are kept */
	struct calls *calls;
	struct carrier *originator;
	char twilio_fault[40];       /**< why that failed last; so that a log tells it once */
	struct carrier *twilio;      /**< NULL until it is needed, or when it cannot be had */
	char leg_key[LEG_KEY_TEXT + 1]; /**< of the tokens of Twilio's legs */
	struct sip_manager *manager;
	struct loop_timer *expiry;   /**< next credential that expires */
	struct loop_timer *sweep;    /**< next look for calls that were never handed over */
	unsigned sweeps;             /**< times that it looked */
	int deaf;                    /**< times in a row that the SIP server did not say how calls ended */
	struct loop_timer *relist;   /**< list the SIP server's dialogs once more */
	struct loop_timer *stopping; /**< there while the engine closes down */
	int64_t stop_by_ms;          /**< loop_now_ms() after which it no longer waits for calls to end */
	int64_t silent_until_ms;     /**< loop_now_ms(); before it nobody waits for the SIP server's status again */
	bool server_died;            /**< the SIP server ended by itself, and did not run since */
	bool closing;                /**< answer everything with NXV_E_NOT_RUNNING */
};

/** <state>/engine.lock or .sock. @return [owned]. */
char *engine_path(const nxv_ctx *ctx, const char *name);
/** Run a request's operation; it is answered now or later. Engine thread. */
void engine_dispatch(struct engine *engine, struct request *req);
/** SIP server, originator, live calls: open and close in order. */
nxv_status engine_sip_open(struct engine *engine, struct nxv_error *err);
void engine_sip_close(struct engine *engine);
/** What the SIP server tells: arg is the engine. See struct sip_sink. */
void engine_sip_event(void *arg, const struct sip_event *ev);
void engine_sip_gap(void *arg);
/** Hold the live calls against the SIP server's list, and against what it remembers of those that ended. */
loop_fn engine_list_calls;
/** True once a call has come as far as "ringing", "answered" or "ended". */
bool engine_session_reached(const struct nxv_session *session, const char *until);
/** Close down step by step: hang up, stop the SIP server (unless it is to keep running), end the loop. */
void engine_shut_down(void *engine);
/** The carrier at Twilio; NULL when none is configured, or something is missing (logged). */
struct carrier *engine_twilio(struct engine *engine);
void engine_twilio_callback(struct engine *engine, struct request *req);
/** Answer waits for the SIP server's state. */
void engine_sip_check_waiters(struct engine *engine);
/** Decide a wait for the SIP server; see waiter_check_fn. */
waiter_check_fn engine_sip_reached;
/** End the registrations of a username, then answer. */
void engine_credential_gone(struct engine *engine, struct request *req);
void engine_sip_health(struct engine *engine, struct request *req);
void engine_sip_registrations(struct engine *engine, struct request *req);
/** End registrations of a username: all, or the one of a contact. */
void engine_sip_kick(struct engine *engine, struct request *req);
/** Put what the SIP server tells of a contact into the event log. */
void engine_registration_event(struct engine *engine, const struct sip_event *ev);
/** A credential was made that will expire. */
void engine_credential_expires(struct engine *engine, struct request *req);
/** Reports of the SIP server may have been missed: say so, and end the registrations of credentials revoked meanwhile. */
void engine_registrations_gap(struct engine *engine);
/** Revoke what has expired and set the timer for the next. */
void engine_expire_credentials(void *engine);

/** Listen for other processes on <state>/engine.sock (mode 0600). */
nxv_status command_socket_open(struct engine *engine, struct command_socket **out, struct nxv_error *err);
void command_socket_close(struct command_socket *socket);

#endif
