// From the configuration of workers to the settings and sources of discovery.

extension WorkerOptions {
    init(_ workers: Configuration.Workers) {
        let group = DeploymentGroup(
            model: "",
            policy: workers.policy,
            admission: workers.admission,
            breaker: workers.breaker,
            retry: workers.retry,
            health: workers.health,
            overload: workers.overload
        )
        self.init(
            apiKey: workers.apiKey,
            group: group,
            timeouts: workers.timeouts,
            interval: workers.discovery.interval,
            drainDeadline: workers.drainDeadline
        )
    }
}

extension Configuration.Workers {
    /// What names workers.
    /// - Throws: ``GatewayError/Code/configuration`` if a URL cannot be used.
    func sources() throws(GatewayError) -> [any WorkerSource] {
        var sources: [any WorkerSource] = []
        if !urls.isEmpty { sources.append(try StaticWorkerSource(urls)) }
        if let file = discovery.file { sources.append(FileWorkerSource(path: file)) }
        if let name = discovery.dns {
            sources.append(DNSWorkerSource(host: name, port: discovery.dnsPort, interval: discovery.interval))
        }
        return sources
    }
}
