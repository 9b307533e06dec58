#include "probe.h"

#include <stdio.h>
#include <string.h>

#include "run.h"

static void keep_claims(struct cf_probe *probe, const struct mt_device_api *api) {
	for (uint64_t i = 0; i < api->n_capabilities; i++) {
		const struct mt_capability *c = &api->capabilities[i];
		if (c->kernel < 1 || c->kernel >= MT_K_END_ || c->op < 0 || c->op >= CF_MAX_OPS)
			continue;
		probe->claims[c->kernel][c->op] |= c->dtypes;
		for (int32_t t = 1; t < MT_DTYPE_END_ && c->kernel == MT_K_COPY; t++)
			if (c->dtypes & MT_DTYPE_BIT(t))
				probe->copies[t] |= c->to;
	}
}

int cf_probe_run(struct cf_probe *probe, const struct cf_target *target) {
	struct cf_host hosts[CF_MAX_HOSTS];
	struct mt_device_info info = {.struct_size = sizeof info};
	int n = cf_open_hosts(hosts, target);
	*probe = (struct cf_probe){.devices = 0};
	if (n == 0)
		return 0;
	const struct mt_plugin_api *plugin = &hosts[0].plugin;
	snprintf(probe->plugin, sizeof probe->plugin, "%s", plugin->name != NULL ? plugin->name : "");
	snprintf(probe->version, sizeof probe->version, "%s", plugin->version != NULL ? plugin->version : "");
	probe->abi_minor = plugin->abi_minor;
	plugin->device_count(&probe->devices);
	if (plugin->device_info(target->ordinal, &info) == MT_OK) {
		snprintf(probe->device, sizeof probe->device, "%.*s", (int)sizeof info.name, info.name);
		snprintf(probe->features, sizeof probe->features, "%.*s", (int)sizeof info.features, info.features);
		probe->flags = info.flags;
	}
	probe->thread_hosts = n > 1;
	keep_claims(probe, hosts[0].api);
	for (int i = 0; i < n; i++)
		cf_host_close(&hosts[i]);
	return 1;
}

int cf_probe_claims(const struct cf_probe *probe, int32_t kernel, int32_t op, int32_t dtype, int32_t to) {
	if (kernel < 1 || kernel >= MT_K_END_ || op < 0 || op >= CF_MAX_OPS)
		return 0;
	if (!((probe->claims[kernel][op] | probe->claims[kernel][0]) & MT_DTYPE_BIT(dtype)))
		return 0;
	return kernel != MT_K_COPY || to == 0 || (probe->copies[dtype] & MT_DTYPE_BIT(to)) != 0;
}

static int has_option(const struct cf_target *target, const char *key) {
	for (int i = 0; i < target->n_options; i++)
		if (strcmp(target->options[i].key, key) == 0)
			return 1;
	return 0;
}

int cf_open_hosts(struct cf_host *hosts, const struct cf_target *target) {
	static const char *const counts[CF_MAX_HOSTS] = {"1", "2", "3"};
	int n = 0;
	if (!has_option(target, "threads"))
		while (n < CF_MAX_HOSTS && cf_host_open(&hosts[n], target, counts[n]) && hosts[n].host_memory)
			n++;
	if (n == CF_MAX_HOSTS)
		return n;
	for (int i = 0; i <= n && !has_option(target, "threads"); i++)
		cf_host_close(&hosts[i]);
	return cf_host_open(&hosts[0], target, NULL);
}
