// The functions are inline in the header; this file lets the target exist.
#include "CLoopback.h"
