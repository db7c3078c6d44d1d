// A local model as a configuration describes it.

public import Logging
public import ModelGateway

extension LlamaProvider {
    /// Describes the model of a deployment of kind `llama`; nothing is loaded yet. It is what to register in a
    /// ``ModelGateway/ProviderCatalog`` under ``ModelGateway/ProviderKind/llama``.
    /// - Parameters:
    ///   - settings: The deployment's settings.
    ///   - logger: As in ``init(model:options:logger:)``.
    /// - Throws: `GatewayError` with the code `configuration` if they name no file.
    public convenience init(
        _ settings: ProviderCatalog.Settings,
        logger: Logger = Logger(label: "ModelGateway.llama")
    ) throws(GatewayError) {
        guard let path = settings.path else {
            throw GatewayError(.configuration, "Deployment \(settings.id) of kind llama has no 'path'.")
        }
        self.init(model: path, options: LlamaOptions(settings.deployment.llama), logger: logger)
    }
}

extension LlamaOptions {
    init(_ configuration: Configuration.LlamaOptions) {
        self.init(
            contextLength: configuration.contextLength == 0 ? nil : configuration.contextLength,
            parallel: configuration.parallel,
            threads: configuration.threads == 0 ? nil : configuration.threads,
            gpuLayers: configuration.gpuLayers < 0 ? .max : configuration.gpuLayers,
            repeatable: configuration.repeatable
        )
    }
}
