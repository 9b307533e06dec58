/* A library that is no plugin: it has no entry. */
#include "mt/plugin.h"

MT_PLUGIN_EXPORT int mock_noentry(void);

int mock_noentry(void) {
	return 42;
}
