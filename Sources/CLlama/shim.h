#ifndef MODELGATEWAY_CLLAMA_SHIM_H
#define MODELGATEWAY_CLLAMA_SHIM_H
#include <llama.h>
#endif
