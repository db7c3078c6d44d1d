// How contexts travel in header lines.

internal import ModelGateway
internal import Tracing

/// Reads the context of a client's call.
struct HeaderExtractor: Extractor {
    func extract(key: String, from carrier: [HTTPHeader]) -> String? {
        carrier.first { $0.isNamed(key) }?.value
    }
}

/// Writes the context of an attempt.
struct HeaderInjector: Injector {
    func inject(_ value: String, forKey key: String, into carrier: inout [HTTPHeader]) {
        // Whatever a tracer carries along, it must not break out of its line.
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return }
        carrier.removeAll { $0.isNamed(key) }
        carrier.append(HTTPHeader(key, value))
    }
}
