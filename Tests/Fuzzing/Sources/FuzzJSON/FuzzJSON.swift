// Any bytes as JSON: what the scanner accepts can be edited, and is JSON with the edits in it.

import GatewayWire

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzJSON.check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

private enum FuzzJSON {
    static func check(_ input: [UInt8]) {
        let isValid = (try? input.withBytes { bytes throws(JSONError) in try JSONScanner.validate(bytes) }) != nil
        guard let document = try? JSONDocument(input) else { return }
        precondition(isValid, "a document that the scanner does not accept")
        input.withBytes { bytes in
            _ = document["model"]?.string(in: bytes)
            _ = document["temperature"]?.double(in: bytes)
            _ = document["n"]?.int(in: bytes)
        }
        var splicer = JSONSplicer(document)
        splicer.set("model", to: Array("\"fuzz\"".utf8))
        splicer.setDefault("stream_options", to: Array("{\"include_usage\":true}".utf8))
        splicer.remove("user")
        let edited = try? JSONDocument(splicer.bytes())
        guard let edited else { preconditionFailure("the edited text is not JSON") }
        let model = edited.bytes.withBytes { edited["model"]?.string(in: $0) }
        precondition(model == "fuzz", "the edit is not in it")
        precondition(edited["stream_options"] != nil, "the addition is not in it")
        precondition(edited["user"] == nil, "what was removed is in it")
    }
}
