// Compiles, links and runs only against a libllama that is new enough for the local backend.
#include "../../Sources/CLlama/shim.h"

int main(void) {
    struct llama_model_params model = llama_model_default_params();
    struct llama_context_params context = llama_context_default_params();
    struct llama_sampler *penalties = llama_sampler_init_penalties(8, 4, 1.0f, 0.0f, 0.0f);
    llama_sampler_free(penalties);
    return model.load_mode == LLAMA_LOAD_MODE_AUTO && context.n_outputs_max == 0 && llama_version() != 0 ? 0 : 1;
}
