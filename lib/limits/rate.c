/* rate.c - requests a minute per key: the time of every counted request is kept for one window, so the limit is
 * exact. Keys are spread over shards, each with its lock, its hash table and its queue of keys by last use. */
#include "limits/limits.h"

#include "base/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 16, BUCKETS_FIRST = 16, TIMES_FIRST = 4, EVICT_SLICE = 64 };

struct entry {
	struct entry *chain;           /* in its bucket */
	struct entry *newer, *older;   /* in the shard's queue */
	int64_t *times;                /* ring of counted requests, oldest at first */
	uint32_t first, count, room;
	uint32_t hash;
	char key[];
};

struct shard {
	pthread_mutex_t lock;
	struct entry **buckets;        /* a power of two of them; NULL until the first key */
	uint32_t bucket_count, keys;
	struct entry *newest, *oldest; /* by last counted request */
	int64_t now_ms;                /* never goes back: see shard_now() */
	int64_t skew_ms;
};

struct rate {
	const struct env *env;
	uint32_t window_ms;
	atomic_uint turn; /* the shard whose idle keys are dropped next */
	struct shard shards[SHARDS];
};

/* A clock that was set back would make counted requests lie in the future and block their keys until it caught up.
 * So the shard's time stands still for that moment and goes on from there: nothing leaves the window early, and what is
 * in it stays one window at most. Call it with the shard locked. */
static int64_t shard_now(struct rate *rate, struct shard *shard)
{
	int64_t wall_ms = env_now_ms(rate->env);

	if (wall_ms + shard->skew_ms < shard->now_ms)
		shard->skew_ms = shard->now_ms - wall_ms;
	shard->now_ms = wall_ms + shard->skew_ms;
	return shard->now_ms;
}

static uint32_t hash_of(const char *key)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619u;
	return hash;
}

/* The low bits choose the shard, the others the bucket. */
static struct entry **bucket_of(struct shard *shard, uint32_t hash)
{
	return &shard->buckets[(hash / SHARDS) & (shard->bucket_count - 1)];
}

static void queue_remove(struct shard *shard, struct entry *entry)
{
	*(entry->newer ? &entry->newer->older : &shard->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &shard->oldest) = entry->newer;
}

static void queue_push(struct shard *shard, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = shard->newest;
	*(shard->newest ? &shard->newest->newer : &shard->oldest) = entry;
	shard->newest = entry;
}

static void drop(struct shard *shard, struct entry *entry)
{
	struct entry **at = bucket_of(shard, entry->hash);

	while (*at != entry)
		at = &(*at)->chain;
	*at = entry->chain;
	queue_remove(shard, entry);
	shard->keys--;
	free(entry->times);
	free(entry);
}

/* Drop up to max keys none of whose requests is in the window any more. */
static void evict(struct rate *rate, struct shard *shard, int64_t now_ms, uint32_t max)
{
	struct entry *entry;

	while ((entry = shard->oldest) && max--) {
		uint32_t last = (entry->first + entry->count - 1) % entry->room;

		if (entry->count && entry->times[last] + rate->window_ms > now_ms)
			break;
		drop(shard, entry);
	}
}

static nxv_status grow_buckets(struct shard *shard, struct nxv_error *err)
{
	struct shard grown = { .bucket_count = shard->bucket_count ? 2 * shard->bucket_count : BUCKETS_FIRST };

	grown.buckets = calloc(grown.bucket_count, sizeof(struct entry *));
	if (!grown.buckets)
		return error_nomem(err);
	for (struct entry *entry = shard->newest; entry; entry = entry->older) {
		struct entry **bucket = bucket_of(&grown, entry->hash);

		entry->chain = *bucket;
		*bucket = entry;
	}
	free(shard->buckets);
	shard->buckets = grown.buckets;
	shard->bucket_count = grown.bucket_count;
	return NXV_OK;
}

static struct entry *find(struct shard *shard, const char *key, uint32_t hash)
{
	struct entry *entry = shard->buckets ? *bucket_of(shard, hash) : NULL;

	while (entry && (entry->hash != hash || strcmp(entry->key, key)))
		entry = entry->chain;
	return entry;
}

static nxv_status add(struct shard *shard, const char *key, uint32_t hash, struct entry **out, struct nxv_error *err)
{
	size_t len = strlen(key) + 1;
	struct entry *entry = NULL;

	if (shard->keys >= shard->bucket_count && grow_buckets(shard, err))
		return NXV_E_NOMEM;
	entry = calloc(1, sizeof(*entry) + len);
	if (entry)
		entry->times = malloc(TIMES_FIRST * sizeof(*entry->times));
	if (!entry || !entry->times) {
		free(entry);
		return error_nomem(err);
	}
	memcpy(entry->key, key, len);
	entry->room = TIMES_FIRST;
	entry->hash = hash;
	entry->chain = *bucket_of(shard, hash);
	*bucket_of(shard, hash) = entry;
	queue_push(shard, entry);
	shard->keys++;
	*out = entry;
	return NXV_OK;
}

/* Make room for one more time. */
static nxv_status grow_times(struct entry *entry, struct nxv_error *err)
{
	int64_t *times;

	if (entry->count < entry->room)
		return NXV_OK;
	times = malloc(2 * (size_t)entry->room * sizeof(*times));
	if (!times)
		return error_nomem(err);
	for (uint32_t i = 0; i < entry->count; i++)
		times[i] = entry->times[(entry->first + i) % entry->room];
	free(entry->times);
	entry->times = times;
	entry->first = 0;
	entry->room *= 2;
	return NXV_OK;
}

/* Forget what has left the window. */
static void expire(struct rate *rate, struct entry *entry, int64_t now_ms)
{
	while (entry->count && entry->times[entry->first] + rate->window_ms <= now_ms) {
		entry->first = (entry->first + 1) % entry->room;
		entry->count--;
	}
}

static nxv_status take(struct rate *rate, struct shard *shard, const char *key, uint32_t hash, uint32_t limit,
	struct rate_verdict *out, struct nxv_error *err)
{
	int64_t now_ms = shard_now(rate, shard);
	struct entry *entry;
	nxv_status status = NXV_OK;

	evict(rate, shard, now_ms, EVICT_SLICE);
	entry = find(shard, key, hash);
	*out = (struct rate_verdict){ .limit = limit, .reset_ms = rate->window_ms };
	if (entry)
		expire(rate, entry, now_ms);
	if ((entry ? entry->count : 0) >= limit) {
		if (limit)
			out->reset_ms = (uint32_t)(entry->times[(entry->first + entry->count - limit) % entry->room] +
				rate->window_ms - now_ms);
		return NXV_OK;
	}
	if (!entry)
		status = add(shard, key, hash, &entry, err);
	if (!status)
		status = grow_times(entry, err);
	if (status)
		return status;
	entry->times[(entry->first + entry->count) % entry->room] = now_ms;
	entry->count++;
	queue_remove(shard, entry);
	queue_push(shard, entry);
	out->allowed = true;
	out->remaining = limit - entry->count;
	out->reset_ms = (uint32_t)(entry->times[entry->first] + rate->window_ms - now_ms);
	return NXV_OK;
}

/* Every request also looks after one other shard, so that keys of quiet shards go too. */
static void evict_next(struct rate *rate)
{
	struct shard *shard = &rate->shards[atomic_fetch_add_explicit(&rate->turn, 1, memory_order_relaxed) % SHARDS];

	if (pthread_mutex_trylock(&shard->lock))
		return;
	evict(rate, shard, shard_now(rate, shard), EVICT_SLICE);
	pthread_mutex_unlock(&shard->lock);
}

nxv_status rate_take(
	struct rate *rate, const char *key, uint32_t limit, struct rate_verdict *out, struct nxv_error *err)
{
	uint32_t hash = hash_of(key);
	struct shard *shard = &rate->shards[hash % SHARDS];
	nxv_status status;

	pthread_mutex_lock(&shard->lock);
	status = take(rate, shard, key, hash, limit, out, err);
	pthread_mutex_unlock(&shard->lock);
	evict_next(rate);
	return status;
}

size_t rate_keys(struct rate *rate)
{
	size_t keys = 0;

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &rate->shards[i];

		pthread_mutex_lock(&shard->lock);
		keys += shard->keys;
		pthread_mutex_unlock(&shard->lock);
	}
	return keys;
}

nxv_status rate_open(const struct env *env, uint32_t window_ms, struct rate **out, struct nxv_error *err)
{
	struct rate *rate = calloc(1, sizeof(*rate));

	*out = rate;
	if (!rate)
		return error_nomem(err);
	rate->env = env;
	rate->window_ms = window_ms;
	atomic_init(&rate->turn, 0);
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&rate->shards[i].lock, NULL);
		rate->shards[i].now_ms = INT64_MIN;
	}
	return NXV_OK;
}

void rate_close(struct rate *rate)
{
	if (!rate)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &rate->shards[i];

		while (shard->oldest)
			drop(shard, shard->oldest);
		free(shard->buckets);
		pthread_mutex_destroy(&shard->lock);
	}
	free(rate);
}
