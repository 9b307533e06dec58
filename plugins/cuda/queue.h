/* Queues and events: what the device table names. */
#ifndef MT_CUDA_QUEUE_H
#define MT_CUDA_QUEUE_H

#include "mt_cuda.h"

int32_t mt__cuda_queue_create(mt_plugin_device *device, mt_host_queue *host, mt_queue **out);
void mt__cuda_queue_destroy(mt_queue *queue);
int32_t mt__cuda_synchronize(mt_queue *queue);
int32_t mt__cuda_native_handle(mt_queue *queue, uint32_t *kind, void **handle);

int32_t mt__cuda_event_create(mt_plugin_device *device, mt_event **out);
void mt__cuda_event_destroy(mt_event *event);
int32_t mt__cuda_event_record(mt_queue *queue, mt_event *event);
int32_t mt__cuda_event_wait(mt_queue *queue, mt_event *event);

#endif
