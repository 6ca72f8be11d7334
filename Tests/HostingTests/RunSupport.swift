import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Synchronization

@testable import Hosting

let silent = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }

struct Answer: Equatable {
    let status: Int
    let body: String

    init(_ status: Int, _ body: String) {
        self.status = status
        self.body = body
    }
}

/// What happened, in order; tests wait for it instead of sleeping.
final class Order: Sendable {
    private let notes = Mutex<[String]>([])
    var all: [String] { notes.withLock { $0 } }

    func note(_ text: String) { notes.withLock { $0.append(text) } }

    /// Until a note fits.
    func wait(for fits: (String) -> Bool) async {
        while !all.contains(where: fits), !Task.isCancelled { await Task.yield() }
    }

    /// Until `count` notes begin with one of `prefixes`.
    func wait(for prefixes: [String], count: Int) async {
        while all.filter({ note in prefixes.contains { note.hasPrefix($0) } }).count < count, !Task.isCancelled {
            await Task.yield()
        }
    }
}

/// Holds a service's shutdown back until it is opened.
final class Gate: Sendable {
    private let isOpen = Atomic(false)
    func open() { isOpen.store(true, ordering: .releasing) }
    func pass() async {
        while !isOpen.load(ordering: .acquiring), !Task.isCancelled { await Task.yield() }
    }
}

struct Waiting: Service {
    let name: String
    let order: Order
    let gate: Gate?

    init(_ name: String, _ order: Order, until gate: Gate? = nil) {
        self.name = name
        self.order = order
        self.gate = gate
    }

    func run() async throws {
        order.note("+" + name)
        try await gracefulShutdown()
        order.note("~" + name)
        await gate?.pass()
        order.note("-" + name)
    }
}

/// A program under `ServiceRun`, with signals that the test sends.
struct Running: Sendable {
    let port: Int
    let log = Order()
    private let signals: AsyncStream<Void>.Continuation
    private let task: Task<ExitStatus, Never>

    init(
        services: [any Service] = [], drainTimeMax: Duration = .seconds(30), waits: Bool = true,
        start: (@Sendable () async throws -> [any Service])? = nil,
        management: ((@escaping @Sendable (Int) -> Void) -> ManagementServer)? = nil
    ) async throws {
        let (stream, signals) = AsyncStream.makeStream(of: Void.self)
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let log = self.log
        let logger = Logger(label: "test") { label in
            ServiceLog(label: label, level: .info, format: .json, write: { log.note($0) })
        }
        let made: @Sendable (@escaping @Sendable (Int) -> Void) -> ManagementServer = { port in
            ManagementServer(
                address: .init(host: "127.0.0.1", port: 0), checks: [], metrics: PrometheusMetrics(), logger: silent,
                onListening: port)
        }
        let server = (management ?? made) { listening.yield($0) }
        let run = ServiceRun(
            logger: logger, management: server, drainTimeMax: drainTimeMax, end: { _ in log.note("ended hard") })
        self.signals = signals
        task = Task { await run.untilStopped(signals: stream, start: start ?? { services }) }
        guard waits else {
            port = 0
            return
        }
        var iterator = ports.makeAsyncIterator()
        port = await iterator.next() ?? 0
    }

    func signal() async { signals.yield() }

    func ended() async -> ExitStatus { await task.value }

    func get(_ path: String) async throws -> Answer {
        let answer = try await HTTPClient.shared.execute(
            .init(url: "http://127.0.0.1:\(port)\(path)"), timeout: .seconds(10))
        let body = try await answer.body.collect(upTo: 1 << 20)
        return Answer(Int(answer.status.code), String(buffer: body))
    }
}
