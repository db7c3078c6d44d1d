// What Swift sees of llama.cpp: the public header, and inline wrappers for what a module map cannot carry over.

#ifndef MODELGATEWAY_CLLAMA_SHIM_H
#define MODELGATEWAY_CLLAMA_SHIM_H

#include <llama.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

// A library whose backends are separate files loads them here; ours has the CPU backend built in.
static inline void modelgateway_llama_initialize(void) {
    if (ggml_backend_dev_count() == 0) {
        ggml_backend_load_all();
    }
    llama_backend_init();
}

// The thread pool lives in the CPU backend, which may be a separate file: it is found by name, as llama.cpp's own
// programs do. NULL where there is none; llama.cpp then makes threads for each step.
static inline struct ggml_threadpool *modelgateway_llama_threadpool_new(int threads) {
    ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (device == NULL) {
        return NULL;
    }
    ggml_backend_reg_t registry = ggml_backend_dev_backend_reg(device);
    typedef struct ggml_threadpool *(*create_t)(struct ggml_threadpool_params *);
    create_t create = (create_t)ggml_backend_reg_get_proc_address(registry, "ggml_threadpool_new");
    if (create == NULL) {
        return NULL;
    }
    struct ggml_threadpool_params params;
    ggml_threadpool_params_init(&params, threads);
    // Between two steps the workers sleep instead of polling: a step takes milliseconds and a wake-up microseconds, and
    // the processor is needed for choosing tokens and for whoever reads them.
    params.poll = 0;
    return create(&params);
}

static inline void modelgateway_llama_threadpool_free(struct ggml_threadpool *pool) {
    ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (device == NULL || pool == NULL) {
        return;
    }
    typedef void (*release_t)(struct ggml_threadpool *);
    release_t release = (release_t)ggml_backend_reg_get_proc_address(
        ggml_backend_dev_backend_reg(device), "ggml_threadpool_free");
    if (release != NULL) {
        release(pool);
    }
}

// The token with the highest logit; the first one of equals.
static inline llama_token modelgateway_llama_argmax(const float *logits, int32_t count) {
    float best = logits[0];
    for (int32_t i = 1; i < count; i++) {
        best = logits[i] > best ? logits[i] : best;
    }
    for (int32_t i = 0; i < count; i++) {
        if (logits[i] == best) {
            return i;
        }
    }
    return 0;
}

// Whether this process may run on a processor; 0 also if the system does not say.
static inline int modelgateway_llama_allows_processor(int processor) {
#if defined(__linux__)
    unsigned long mask[128] = {0};
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    if (bytes > 0 && processor >= 0 && processor < bytes * 8) {
        int bits = (int)(8 * sizeof mask[0]);
        return (int)(mask[processor / bits] >> (processor % bits) & 1);
    }
#else
    (void)processor;
#endif
    return 0;
}

// How many processors this process may run on; 0 if the system does not say.
static inline int modelgateway_llama_allowed_processors(void) {
    int count = 0;
#if defined(__linux__)
    unsigned long mask[128] = {0};
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    for (long i = 0; i < bytes; i++) {
        count += __builtin_popcount(((unsigned char *)mask)[i]);
    }
#endif
    return count;
}

#endif
