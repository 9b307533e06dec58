/* Faults beside the kernels: entry, tables, devices, memory, scratch. */
#ifndef FRAME_H
#define FRAME_H

#include "fault.h"

/* Makes name the fault, where frames.def has it. */
int fault_frame_choose(const char *name);

/* Changes what the inner entry gets, what the host gets of it, and a device's tables (device and kernels are copies). */
void fault_frame_enter(struct mt_host_api *host, struct mt_plugin_request *request);
void fault_frame_plugin(struct mt_plugin_api *api, const struct mt_host_api *host);
void fault_frame_device(const struct mt_device_api *inner, struct mt_device_api *device,
                        struct mt_kernel_table *kernels);

/* Whether the host is refused, or a table written beyond the host's room. */
int fault_frame_refuses(const struct mt_host_api *host, const struct mt_plugin_request *request);
uint32_t fault_frame_size(uint32_t room);

#endif
