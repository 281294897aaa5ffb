#include "core/routing/reachability.h"
