/* The runtime API: streams and events.
 *
 * MT_EMULATOR_LATE=1: work waits in its stream until somebody waits for it, for an event behind it, or for the device, or
 * until the stream is full.  What other streams do meanwhile goes first.  So whatever the host frees or overwrites too
 * early has changed by then. */
#include "streams.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <deque>
#include <memory>
#include <set>

#include "blocks.h"
#include "devices.h"
#include "stream_calls.h"

using namespace mt_emulated;

constexpr size_t DEPTH = 1024; /* a launch into a full stream waits */

struct mt_emulated_stream {
	struct mt_emulated_stream_calls calls; /* first: see there */
	int device;
	unsigned flags;
	std::deque<std::function<void()>> waiting;
	bool is_orphan; /* destroyed, with work left */
};

/* One time that an event was recorded. */
struct ticket {
	mt_emulated_stream *stream;
	bool done;
	struct timespec at;
};

struct mt_emulated_event {
	int device;
	bool timed;
	std::shared_ptr<ticket> last;
};

static int working = -1;

std::recursive_mutex &mt_emulated::runtime_mutex() {
	static auto &mutex = *new std::recursive_mutex;
	return mutex;
}

using guard = std::lock_guard<std::recursive_mutex>;

static std::set<mt_emulated_stream *> &streams() {
	static auto &all = *new std::set<mt_emulated_stream *>; /* exit handlers may still come here */
	return all;
}

static bool is_late() {
	static const bool late = number_from("MT_EMULATOR_LATE", 0) != 0;
	return late;
}

int mt_emulated::running_device() {
	return working;
}

/* ---- doing it ---- */

static void do_one(mt_emulated_stream *s) {
	std::function<void()> work = std::move(s->waiting.front());
	s->waiting.pop_front();
	int outer = working;
	working = s->device;
	if (!is_lost(s->device))
		work();
	working = outer;
}

static void finish(mt_emulated_stream *s) {
	while (!s->waiting.empty())
		do_one(s);
}

static void finish(const std::shared_ptr<ticket> &t) {
	while (!t->done && !t->stream->waiting.empty())
		do_one(t->stream);
}

/* The streams of a device: all, or those that wait for the default stream. */
static void finish_streams(int device, bool all) {
	for (auto at = streams().begin(); at != streams().end();) {
		mt_emulated_stream *s = *at;
		if (s->device == device && (all || (s->flags & cudaStreamNonBlocking) == 0))
			finish(s);
		bool gone = s->is_orphan && s->waiting.empty();
		at = gone ? streams().erase(at) : std::next(at);
		if (gone)
			delete s;
	}
}

void mt_emulated::finish_device(int device) {
	finish_streams(device, true);
}

void mt_emulated::finish_blocking(int device) {
	finish_streams(device, false);
}

/* ---- streams ---- */

static cudaError_t submit_call(cudaStream_t stream, void (*work)(void *), void *data) {
	return submit(stream, [=] { work(data); });
}

static mt_emulated_stream *new_stream(int device, unsigned flags) {
	auto *s = new mt_emulated_stream{{submit_call}, device, flags, {}, false};
	streams().insert(s);
	return s;
}

static mt_emulated_stream *default_stream(int device) {
	static mt_emulated_stream *of[MOST_DEVICES];
	if (!of[device])
		of[device] = new_stream(device, cudaStreamDefault);
	return of[device];
}

/* NULL where it is none. */
static mt_emulated_stream *find(cudaStream_t stream) {
	if (!stream)
		return default_stream(current_device());
	return streams().count(stream) && !stream->is_orphan ? stream : nullptr;
}

int mt_emulated::device_of(cudaStream_t stream) {
	guard hold(runtime_mutex());
	mt_emulated_stream *s = find(stream);
	return s ? s->device : -1;
}

cudaError_t mt_emulated::submit(cudaStream_t stream, std::function<void()> work) {
	guard hold(runtime_mutex());
	mt_emulated_stream *s = find(stream);
	if (!s)
		return cudaErrorInvalidResourceHandle;
	if ((s->flags & cudaStreamNonBlocking) == 0) /* these and the default stream take turns */
		finish_blocking(s->device);
	s->waiting.push_back(std::move(work));
	while (!s->waiting.empty() && (!is_late() || s->waiting.size() > DEPTH))
		do_one(s);
	return is_lost(s->device) ? cudaErrorIllegalAddress : cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags) {
	guard hold(runtime_mutex());
	cudaError_t error = enter();
	*out = error == cudaSuccess ? new_stream(current_device(), flags) : nullptr;
	return keep(error);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *out, unsigned flags, int) {
	return cudaStreamCreateWithFlags(out, flags);
}

cudaError_t cudaStreamCreate(cudaStream_t *out) {
	return cudaStreamCreateWithFlags(out, cudaStreamDefault);
}

/* Returns at once: what the stream still has to do is done all the same. */
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
	guard hold(runtime_mutex());
	cudaError_t error = enter();
	if (error == cudaSuccess && (!stream || !find(stream)))
		error = cudaErrorInvalidResourceHandle;
	if (error == cudaSuccess && !(stream->is_orphan = !stream->waiting.empty())) {
		streams().erase(stream);
		delete stream;
	}
	return keep(error);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
	guard hold(runtime_mutex());
	mt_emulated_stream *s = find(stream);
	if (!s)
		return keep(cudaErrorInvalidResourceHandle);
	finish(s);
	return keep(enter(s->device));
}

/* Whoever asks often enough gets there. */
cudaError_t cudaStreamQuery(cudaStream_t stream) {
	guard hold(runtime_mutex());
	mt_emulated_stream *s = find(stream);
	if (!s)
		return keep(cudaErrorInvalidResourceHandle);
	cudaError_t error = enter(s->device);
	if (error != cudaSuccess || s->waiting.empty())
		return keep(error);
	do_one(s);
	return keep(cudaErrorNotReady);
}

cudaError_t cudaDeviceSynchronize(void) {
	guard hold(runtime_mutex());
	cudaError_t error = enter();
	if (error == cudaSuccess)
		finish_device(current_device());
	return keep(enter());
}

cudaError_t cudaDeviceReset(void) {
	return cudaDeviceSynchronize();
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, void (*function)(void *), void *data) {
	return keep(submit(stream, [=] { function(data); }));
}

/* ---- events ---- */

static double milliseconds_of(const struct timespec &t) {
	return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned flags) {
	cudaError_t error = enter();
	*out = error == cudaSuccess
	           ? new mt_emulated_event{current_device(), (flags & cudaEventDisableTiming) == 0, nullptr}
	           : nullptr;
	return keep(error);
}

cudaError_t cudaEventCreate(cudaEvent_t *out) {
	return cudaEventCreateWithFlags(out, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
	cudaError_t error = enter();
	if (error != cudaSuccess || !event)
		return keep(error != cudaSuccess ? error : cudaErrorInvalidResourceHandle);
	guard hold(runtime_mutex());
	delete event;
	return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
	guard hold(runtime_mutex());
	mt_emulated_stream *s = find(stream);
	if (!event || !s || event->device != s->device)
		return keep(cudaErrorInvalidResourceHandle);
	cudaError_t error = enter(s->device);
	if (error != cudaSuccess)
		return keep(error);
	auto t = std::make_shared<ticket>(ticket{s, false, {}});
	event->last = t;
	return keep(submit(s, [t] {
		t->done = true;
		clock_gettime(CLOCK_MONOTONIC, &t->at);
	}));
}

/* What was recorded by now counts, whatever becomes of the event. */
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
	guard hold(runtime_mutex());
	if (!event)
		return keep(cudaErrorInvalidResourceHandle);
	auto t = event->last;
	return keep(t ? submit(stream, [t] { finish(t); }) : enter());
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
	guard hold(runtime_mutex());
	if (!event)
		return keep(cudaErrorInvalidResourceHandle);
	cudaError_t error = enter(event->device);
	if (error != cudaSuccess || !event->last || event->last->done)
		return keep(error);
	do_one(event->last->stream);
	return keep(cudaErrorNotReady);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
	guard hold(runtime_mutex());
	if (!event)
		return keep(cudaErrorInvalidResourceHandle);
	if (event->last)
		finish(event->last);
	return keep(enter(event->device));
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t from, cudaEvent_t to) {
	guard hold(runtime_mutex());
	if (!from || !to || !from->timed || !to->timed || !from->last || !to->last || from->device != to->device)
		return keep(cudaErrorInvalidResourceHandle);
	if (!from->last->done || !to->last->done)
		return keep(cudaErrorNotReady);
	*milliseconds = (float)(milliseconds_of(to->last->at) - milliseconds_of(from->last->at));
	return cudaSuccess;
}
