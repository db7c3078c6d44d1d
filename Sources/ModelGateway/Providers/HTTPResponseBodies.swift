// Reading a provider's response whole: bounded, and turned into an error if the provider refused or failed.

extension HTTPTransportResponse {
    /// The largest response that is read whole, in bytes.
    package static let largestBody = 256 << 20

    /// Reads the first bytes of the body, which tell what form it has; only if they do not, its label counts. A byte
    /// order mark and white space before them are dropped.
    package func opened() async throws(GatewayError) -> OpenedAnswer {
        var bytes: [UInt8] = []
        while let more = try await body.next() {
            if bytes.isEmpty { bytes = more } else { bytes += more }
            let (finding, blank) = AnswerForm.look(at: bytes)
            // Some providers send blank lines while their model thinks.
            if blank > 0 { bytes.removeFirst(blank) }
            switch finding {
            case .form(let form): return OpenedAnswer(form: form, first: bytes, body: body)
            case .needsMore: continue
            case .neither: break
            }
            break
        }
        return OpenedAnswer(form: AnswerForm(contentType: headers["content-type"]), first: bytes, body: body)
    }

    /// The body as JSON.
    /// - Throws: The provider's error if the status is not 2xx or the body is an error object.
    package func json() async throws(GatewayError) -> JSONValue {
        guard (200..<300).contains(status) else { throw await failure() }
        return try await opened().json()
    }

    /// Reads the body to its end, for answers that are not streamed.
    /// - Parameter limit: The largest body in bytes. Default 256 MiB.
    /// - Throws: ``GatewayError/Code/malformedResponse`` if it is larger, else what reading it throws.
    public func wholeBody(limit: Int = 256 << 20) async throws(GatewayError) -> [UInt8] {
        try await OpenedAnswer(form: .json, first: [], body: body).wholeBody(limit: limit)
    }

    /// The error that a response with a failure status stands for: its code follows from the status and, where the body
    /// is an error of OpenAI's or a similar shape, from what it says. Reads at most 64 KiB of the body and gives up the
    /// rest.
    public func failure() async -> GatewayError {
        var bytes: [UInt8] = []
        do {
            while bytes.count < 64 << 10, let more = try await body.next() { bytes += more }
        } catch {
            if error.code == .cancelled { return error }
        }
        body.cancel()
        return GatewayError(upstreamStatus: status, headers: headers, body: Array(bytes.prefix(64 << 10)))
    }
}

/// The body of a successful response, of which so much was read that its form is known.
package struct OpenedAnswer {
    /// The form of the body.
    package let form: AnswerForm
    /// What was read.
    package let first: [UInt8]
    /// The rest.
    package let body: any ByteStream

    /// The whole body.
    /// - Throws: ``GatewayError/Code/malformedResponse`` if it is larger than `limit` bytes.
    package func wholeBody(limit: Int = HTTPTransportResponse.largestBody) async throws(GatewayError) -> [UInt8] {
        var bytes = first
        while let more = try await body.next() {
            guard bytes.count + more.count <= limit else {
                body.cancel()
                throw .tooLarge(limit)
            }
            if bytes.isEmpty { bytes = more } else { bytes += more }
        }
        return bytes
    }

    /// The body as JSON.
    /// - Throws: The provider's error if the body is an error object.
    package func json() async throws(GatewayError) -> JSONValue {
        let bytes = try await wholeBody()
        guard let json = JSONValue(upstream: bytes) else {
            throw GatewayError(.malformedResponse, "The provider's response is not JSON.", requestWasSent: true)
        }
        if let error = GatewayError(upstreamEvent: json) { throw error }
        return json
    }

    /// Reads the stream of events to its end.
    /// - Parameter answer: What puts it together.
    /// - Throws: The provider's error if the stream carries one; ``GatewayError/Code/truncatedResponse`` if it ends
    ///   before the answer is complete; ``GatewayError/Code/malformedResponse`` if it is larger than `limit` bytes or
    ///   there is no answer in it.
    package func assemble(
        into answer: inout any AnswerAssembly,
        limit: Int = HTTPTransportResponse.largestBody
    ) async throws(GatewayError) {
        var size = first.count
        do throws(GatewayError) {
            try answer.feed(first)
            while !answer.isDone, let bytes = try await body.next() {
                size += bytes.count
                guard size <= limit else { throw .tooLarge(limit) }
                try answer.feed(bytes)
            }
            guard answer.isDone || answer.isComplete else { throw answer.truncation() }
            guard answer.hasContent else { throw .emptyAnswer }
        } catch {
            body.cancel()
            throw error
        }
        body.discard()
    }
}

extension GatewayError {
    fileprivate static func tooLarge(_ limit: Int) -> GatewayError {
        GatewayError(
            .malformedResponse,
            "The provider's response is larger than \(limit) bytes.",
            requestWasSent: true
        )
    }
}
