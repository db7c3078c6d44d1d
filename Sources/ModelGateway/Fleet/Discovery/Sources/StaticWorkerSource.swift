// Workers that were listed when the gateway was started.

/// A list of workers that never changes.
package struct StaticWorkerSource: WorkerSource {
    package let name = "configuration"
    let workers: [WorkerAddress]

    /// Checks a list of base URLs.
    /// - Throws: ``GatewayError/Code/configuration`` for the first invalid one.
    package init(_ urls: [String]) throws(GatewayError) {
        var workers: [WorkerAddress] = []
        for url in urls { workers.append(try WorkerAddress(url)) }
        self.workers = workers
    }

    package func watch(_ report: WorkerReport) async {
        report.workers(workers)
    }
}
