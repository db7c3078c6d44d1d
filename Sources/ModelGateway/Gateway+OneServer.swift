// Gateways for the commonest case: one server and the models that it serves.

extension Gateway {
    /// Creates a gateway for models of a server that speaks OpenAI's API, under the names that they have there.
    ///
    /// ```swift
    /// let gateway = try Gateway(baseURL: "http://127.0.0.1:8000/v1", models: ["qwen3-8b"])
    /// ```
    /// - Parameters:
    ///   - baseURL: The address of the API; `/v1` is assumed if it has no path.
    ///   - apiKey: Sent as a bearer token. Default nil: none.
    ///   - models: The ids of the models at the server. Each is one model of the gateway with one deployment.
    ///   - observer: Receives a record of each call when it ends. Default nil: none.
    /// - Throws: ``GatewayError/Code/configuration`` if the address cannot be used.
    public convenience init(
        baseURL: String,
        apiKey: String? = nil,
        models: [String],
        observer: (any CallObserver)? = nil
    ) throws(GatewayError) {
        let transport = try CurlTransport()
        self.init(
            provider: try OpenAICompatibleProvider(baseURL: baseURL, apiKey: apiKey, transport: transport),
            models: models,
            observer: observer,
            preferredExecutor: transport.preferredExecutor
        )
    }

    /// Creates a gateway for models of one provider, under the names that they have there.
    ///
    /// ```swift
    /// let gateway = Gateway(provider: LlamaProvider(model: "qwen3.gguf"), models: ["qwen3"])
    /// ```
    /// - Parameters:
    ///   - provider: What answers all calls.
    ///   - models: The ids of the models at the provider. Each is one model of the gateway, with one deployment that has
    ///     the same id. One that is named twice is there once.
    ///   - observer: Receives a record of each call when it ends. Default nil: none.
    ///   - preferredExecutor: That of the provider's transport; see ``Gateway/preferredExecutor``. Default nil: none.
    public convenience init(
        provider: any Provider,
        models: [String],
        observer: (any CallObserver)? = nil,
        preferredExecutor: (any TaskExecutor)? = nil
    ) {
        let groups = Set(models).sorted().map { model in
            DeploymentGroup(
                model: model,
                deployments: [Deployment(id: model, provider: provider, upstreamModel: model)]
            )
        }
        self.init(groups: groups, observer: observer, preferredExecutor: preferredExecutor)
    }
}
