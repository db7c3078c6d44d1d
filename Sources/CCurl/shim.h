#ifndef MODELGATEWAY_CCURL_SHIM_H
#define MODELGATEWAY_CCURL_SHIM_H
#include <curl/curl.h>
#endif
