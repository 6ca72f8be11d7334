import FoundationEssentials
import HTTPTypes
import Hummingbird
package import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// A program's own small server for operators: health, readiness, metrics. It has an address of its own.
///
/// | route      | answer                                                                        |
/// |------------|-------------------------------------------------------------------------------|
/// | `/healthz` | 200 `ok` while the process lives                                              |
/// | `/readyz`  | 200 `{"ready":true,…}` or 503 with the reasons: `{"ready":false,"checks":{…}}` |
/// | `/metrics` | Prometheus' text format                                                       |
///
/// Hand it to `runService` as the first service, so that it answers until everything else has stopped.
package struct ManagementServer: Service {
    /// One condition of being ready.
    package struct Check: Sendable {
        package let name: String
        /// Nil while all is well, otherwise the reason in a sentence. Should take milliseconds; it is given 2 s.
        package let problem: @Sendable () async -> String?

        package init(_ name: String, problem: @escaping @Sendable () async -> String?) {
            self.name = name
            self.problem = problem
        }
    }

    private let address: SocketAddressText
    private let checks: [Check]
    private let metrics: PrometheusMetrics
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void
    private let state: State

    private final class State: Sendable {
        let isDraining = Atomic(false)
    }

    /// - Parameters:
    ///   - checks: all must hold for `/readyz` to say 200; none at all means "ready once it listens".
    ///   - onListening: told the port, which matters if 0 was asked for.
    package init(
        address: SocketAddressText, checks: [Check], metrics: PrometheusMetrics = .system, logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.address = address
        self.checks = checks
        self.metrics = metrics
        self.logger = logger
        self.onListening = onListening
        state = State()
    }

    /// From now on `/readyz` says 503, so that load balancers look elsewhere. `runService` calls it on shutdown.
    package func startDraining() { state.isDraining.store(true, ordering: .relaxed) }

    package func run() async throws {
        let application = Application(
            router: router(),
            configuration: .init(address: .hostname(address.host, port: address.port)),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? address.port) },
            logger: logger)
        do {
            try await application.run()
        } catch {
            throw ListenProblem(error, at: address, setting: "management-address")
        }
    }

    func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/healthz") { _, _ in "ok\n" }
        router.get("/readyz") { _, _ in await readiness() }
        router.get("/metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: PrometheusText.contentType],
                body: .init(byteBuffer: ByteBuffer(string: metrics.text())))
        }
        return router
    }

    private func readiness() async -> Response {
        var reasons: [(String, String)] = []
        for check in checks {
            if let problem = await Self.answer(of: check) { reasons.append((check.name, problem)) }
        }
        if state.isDraining.load(ordering: .relaxed) { reasons.append(("shutdown", "the program is stopping")) }
        let all = checks.map(\.name).filter { name in !reasons.contains { $0.0 == name } }.map { ($0, "ok") } + reasons
        let pairs = all.map { "\(JSONText.quoted($0)):\(JSONText.quoted(Redaction.mask($1)))" }
        let body = "{\"ready\":\(reasons.isEmpty),\"checks\":{\(pairs.joined(separator: ","))}}\n"
        return Response(
            status: reasons.isEmpty ? .ok : .serviceUnavailable, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(string: body)))
    }

    private static func answer(of check: Check) async -> String? {
        await withTaskGroup(of: String?.self) { group in
            group.addTask { await check.problem() }
            group.addTask {
                // Cancelled as soon as the check answers; then its own answer is not looked at.
                try? await Task.sleep(for: .seconds(2))
                return "no answer within 2 s"
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
