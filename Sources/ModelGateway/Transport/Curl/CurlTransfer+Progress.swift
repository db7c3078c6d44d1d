// What libcurl reports while a transfer is in progress. All of it runs on the loop's thread, inside a call to libcurl.

internal import CCurl
import GatewaySystem

extension CurlTransfer {
    /// libcurl has created a socket for this transfer.
    func opened(_ socket: Int32) {
        sockets.append(socket)
        loop.poller.track(socket)
    }

    /// libcurl waits for a socket. While TCP connects, that is only for writing, so reading means that it has connected
    /// and waits for the peer's part of a handshake. (libcurl 7.88 records the TCP connect time only once TLS is up as
    /// well.)
    func watched(_ socket: Int32, readable: Bool) {
        if phase == .connecting, readable, sockets.contains(socket) { isTCPConnected = true }
    }

    /// The connection is up and the request goes out next. Also called when a reused connection turned out to be dead
    /// and libcurl wants to send the request again on a fresh one. False stops the transfer.
    func connected() -> Bool {
        if phase > .connecting, mayHaveBeenTaken {
            abort = .mayHaveBeenTaken
            return false
        }
        phase = .sending
        allow(request.timeouts.firstByte, from: loop.now)
        loop.timers.deadlineChanged(of: self)
        return true
    }

    /// Whether the server may already be working on the request, so that a second one would repeat the work.
    private var mayHaveBeenTaken: Bool {
        guard request.method != "GET", request.method != "HEAD", let handle else { return false }
        var sent = 0
        ccurl_get_long(handle.easy, CURLINFO_REQUEST_SIZE, &sent)
        return sent > 0
    }

    /// Takes a header line. False stops the transfer.
    func receivedHeaderLine(_ line: UnsafeRawBufferPointer) -> Bool {
        // Trailers arrive this way too; nobody reads them.
        if hasFinalHead { return true }
        if phase < .readingHead {
            phase = .readingHead
            receivedSomething()
        }
        headerBytes += line.count
        guard headerBytes <= loop.options.maxHeaderBytes else {
            abort = .headersTooLarge
            return false
        }
        if line.starts(with: Self.statusLineStart) {
            headerLines.removeAll(keepingCapacity: true)
        } else if line.count <= 2, line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n") {
            headComplete()
        } else {
            headerLines.append(contentsOf: line)
        }
        return abort == nil
    }

    private static let statusLineStart = Array("HTTP/".utf8)

    private func headComplete() {
        guard let handle else { return }
        var status = 0
        ccurl_get_long(handle.easy, CURLINFO_RESPONSE_CODE, &status)
        if (100..<200).contains(status), status != 101 {
            headerLines.removeAll(keepingCapacity: true)
            return
        }
        if status == 407, CurlProxy.of(self) != nil {
            abort = .proxyWantsCredentials
            return
        }
        hasFinalHead = true
        phase = .readingBody
        let headers = HTTPHeaderBlock(bytes: headerLines)
        headerLines = []
        newHead = TransferHead(status: status, headers: decodedHeaders(headers))
        loop.hasNews(self)
        // The answer came before the whole body was sent: after an error status libcurl stops sending, but still counts
        // a paused body as unfinished.
        if status >= 300, upload?.isPaused == true { loop.resumeLater(self) }
    }

    /// libcurl decompresses the body unless the caller asked for compression, so the lines that describe it go, too.
    private func decodedHeaders(_ headers: HTTPHeaderBlock) -> HTTPHeaderBlock {
        guard let encoding = headers["content-encoding"], !encoding.isEmpty, encoding != "identity",
            !request.headers.contains(where: { $0.isNamed("accept-encoding") })
        else { return headers }
        return headers.removingLines(named: ["content-encoding", "content-length"])
    }

    /// What happens to body bytes.
    enum Reception {
        case taken
        /// libcurl is to pause the transfer, and will deliver the same bytes again.
        case later
        /// The transfer is to end.
        case refused
    }

    /// Takes body bytes.
    func receivedBody(_ bytes: UnsafeRawBufferPointer) -> Reception {
        if let budget = discardBudget {
            discardBudget = budget - bytes.count
            return budget >= bytes.count ? .taken : .refused
        }
        if waitingBytes + received.count >= loop.options.bodyBufferBytes {
            (waitingBytes, isHeldBack) = mailbox.holdBack(
                over: loop.options.bodyBufferBytes,
                undelivered: received.count
            )
            if isHeldBack {
                phaseDeadline = .never
                loop.hasNews(self)
                return .later
            }
        }
        receivedSomething()
        received.append(contentsOf: bytes)
        loop.hasNews(self)
        return .taken
    }

    private func receivedSomething() {
        allow(request.timeouts.idle, from: loop.now)
        loop.timers.deadlineChanged(of: self)
    }

    /// Gives libcurl more of the request body: a count, 0 at the end, or one of its codes.
    func readBody(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard var upload = upload else { return ccurl_read_abort }
        defer { self.upload = upload }
        if phase == .sending { allow(request.timeouts.firstByte, from: loop.now) }
        guard upload.fitsLength else {
            abort = .requestBodyLength
            return ccurl_read_abort
        }
        if upload.available > 0 { return upload.read(into: target) }
        if upload.isComplete { return 0 }
        if !upload.isAsking, let source = upload.source {
            upload.isAsking = true
            upload.task = askForMore(source)
        }
        upload.isPaused = true
        return ccurl_read_pause
    }

    private func askForMore(_ source: any ByteStream) -> Task<Void, Never> {
        Task(executorPreference: loop) { [self] in
            do throws(GatewayError) {
                let bytes = try await source.next()
                loop.submit(.upload(self, .success(bytes)))
            } catch {
                loop.submit(.upload(self, .failure(error)))
            }
        }
    }
}
