// Four scripted engines behind a gateway, and the ways in which each can be made to fail and to work again.

import GatewayWire
import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import Synchronization

/// What is wrong with an engine.
enum Fault: String, CaseIterable, Sendable {
    /// Its process is gone: connections are reset and new ones refused.
    case killed
    /// It takes requests and never answers, its health included.
    case hung
    /// It answers late, but within the limits.
    case slow
    /// It answers 500.
    case failing
    /// It answers 429 with `Retry-After`.
    case rateLimited
    /// It takes requests and resets their connections.
    case unanswered
    /// Its streams end before their first content, and its whole answers in the middle.
    case cutEarly
    /// Its streams break in the middle, and so do its whole answers.
    case cut
    /// Its answers come to a halt in the middle.
    case stalled

    /// Whether a stream can be hit after its first content, when no other engine can take over.
    var breaksStreams: Bool { [.killed, .cut, .stalled].contains(self) }

    /// Whether the gateway must take the engine out for it.
    var isNoticed: Bool { self != .slow }
}

/// One engine that can be spoilt and repaired.
final class ChaoticEngine: Sendable {
    static let text = "one two three four five six seven eight"

    let engine: ScriptedEngine
    private let ailment: Ailment

    /// What the answering threads look at.
    private final class Ailment: Sendable {
        let fault = Lock<Fault?>(nil)
        let streamsBroken = Atomic(0)
        let acted = Atomic(0)
    }

    init() throws {
        let ailment = Ailment()
        self.ailment = ailment
        engine = try ScriptedEngine { Self.answer($0, ailment) }
    }

    /// How often the fault was acted out.
    var acted: Int { ailment.acted.load(ordering: .relaxed) }
    /// Streams that were broken after their first content.
    var streamsBroken: Int { ailment.streamsBroken.load(ordering: .relaxed) }

    func begin(_ fault: Fault) {
        ailment.fault.withLock { $0 = fault }
        guard fault == .killed else { return }
        engine.refuseConnections()
        engine.closeConnections(.reset)
    }

    func end(_ fault: Fault) throws {
        // What hangs stays so: those calls are lost, and only the gateway's patience ends them.
        ailment.fault.withLock { $0 = nil }
        if fault == .killed { try engine.acceptConnections() }
    }

    /// The ids of the model calls that came in whole, in their order.
    var callIDs: [String] {
        engine.requests.filter { $0.method == "POST" }.compactMap { $0.header("x-request-id") }
    }

    private static func answer(_ request: RecordedRequest, _ ailment: Ailment) -> Script {
        let whole = ScriptedEngine.openAI(text: text, pace: .milliseconds(3))(request)
        let fault = ailment.fault.withLock { $0 }
        guard request.method == "POST" else {
            return fault == .hung ? Script(steps: [.stall], ending: .close) : whole
        }
        let isStream = request.text.contains(#""stream":true"#)
        let script = isStream ? whole : whole.delayed(by: .milliseconds(5))
        guard let fault else { return script }
        ailment.acted.wrappingAdd(1, ordering: .relaxed)
        if isStream, fault == .cut || fault == .stalled {
            ailment.streamsBroken.wrappingAdd(1, ordering: .relaxed)
        }
        return spoilt(script, isStream: isStream, fault)
    }

    private static func spoilt(_ script: Script, isStream: Bool, _ fault: Fault) -> Script {
        let middle = script.byteCount * 2 / 3
        return switch fault {
        case .killed: script
        case .hung: Script(steps: [.stall], ending: .close)
        case .slow: script.delayed(by: .milliseconds(60))
        case .failing: .openAIError(status: 500, message: "engine failure", type: "server_error")
        case .rateLimited: .json("{}", status: 429, headers: [HTTPHeader("Retry-After", "1")])
        case .unanswered: .hangUp(.reset)
        case .cutEarly: script.cut(after: isStream ? headAndRole(script) : middle)
        case .cut: script.cut(after: middle, by: isStream ? .reset : .close)
        case .stalled: script.stalled(after: middle)
        }
    }

    /// Bytes of a stream's head and first event, which has a role and no content.
    private static func headAndRole(_ script: Script) -> Int {
        let sends = script.steps.compactMap { step -> Int? in
            if case .send(let bytes) = step { bytes.count } else { nil }
        }
        return sends.prefix(2).reduce(0, +)
    }
}

/// The engines and the gateway in front of them.
struct ChaoticFleet: Sendable {
    static let model = "public"

    let engines: [ChaoticEngine]
    let gateway: Gateway

    init(count: Int = 4) throws {
        let transport = try EventLoopTransport(over: CurlTransport())
        engines = try (0..<count).map { _ in try ChaoticEngine() }
        // Long enough for a busy machine's healthy engines, short enough for a test.
        let timeouts = Timeouts(
            connect: .seconds(1),
            firstByte: .seconds(3),
            idle: .seconds(3),
            total: .seconds(30)
        )
        var group = DeploymentGroup(model: Self.model)
        group.deployments = try engines.enumerated().map { index, engine in
            Deployment(
                id: "engine-\(index)",
                provider: try OpenAICompatibleProvider(baseURL: engine.engine.url, transport: transport),
                upstreamModel: "mock",
                timeouts: timeouts
            )
        }
        group.breaker = CircuitBreakerOptions(openTime: .milliseconds(100), maxOpenTime: .milliseconds(300))
        group.health = HealthOptions(
            interval: .milliseconds(100),
            timeout: .seconds(1),
            maxInterval: .milliseconds(200)
        )
        // How much may be tried again has tests of its own; here nothing may fail for it.
        group.retry = RetryOptions(budgetRatio: 1, budgetPerSecond: 1000)
        gateway = Gateway(groups: [group])
    }

    func stop() {
        for engine in engines { engine.engine.stop() }
    }

    var status: GroupStatus { gateway.groups[0] }

    func status(of index: Int) -> DeploymentStatus { status.deployments[index] }

    /// Whether every deployment takes calls as if nothing had ever been wrong.
    var isWell: Bool {
        status.deployments.allSatisfy { $0.isEligible && $0.isHealthy && $0.breaker == .closed }
    }

    /// Whether no call counts anywhere.
    var isIdle: Bool {
        let status = status
        return status.callsInFlight == 0 && status.callsWaiting == 0
            && status.deployments.allSatisfy { $0.callsInFlight == 0 && $0.pendingTokens == 0 }
    }
}
