import EdgeHTTP
import Logging
import NIOCore
import Synchronization
import TestSupport

/// A proxy before an edge that keeps what is asked, and answers late, so that all of a round are there before the first
/// of them is answered.
final class RequestRecorder: EdgeHandler {
    /// One request, as far as cargos differ.
    struct Asked: Hashable, Comparable, CustomStringConvertible {
        let method: String
        let path: String
        let tag: String?
        let token: String?

        var description: String {
            [method, path, tag.map { "if \($0)" }, token.map { "with \($0)" }].compactMap(\.self).joined(separator: " ")
        }

        static func < (one: Self, other: Self) -> Bool { one.description < other.description }
    }

    private struct State {
        var backend = ""
        var inFlight = 0
        var rounds: [[Asked]] = []
    }

    /// Far more than it takes to send a round, on a busy machine too.
    private static let delay: TimeAmount = .milliseconds(150)

    private let state = Mutex(State())

    /// Sends what comes to `url`, which has no path.
    func pass(to url: String) { state.withLock { $0.backend = url } }

    /// What was asked since the last call: a round begins when nothing is in flight. Sorted, as its order is free.
    func takeRounds() -> [[Asked]] {
        state.withLock { state in
            defer { state.rounds = [] }
            return state.rounds.map { $0.sorted() }
        }
    }

    /// Listens while `body` runs; over plain HTTP with upgrades, as our edge does.
    static func with(_ body: (RequestRecorder, String) async throws -> Void) async throws {
        let recorder = RequestRecorder()
        let server = EdgeServer(
            configuration: EdgeServerConfiguration(listeners: [.init(host: "127.0.0.1", port: 0)]), handler: recorder,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), observer: nil)
        try await server.start()
        let port = server.boundAddresses.first?.port ?? 0
        do {
            try await body(recorder, "http://127.0.0.1:\(port)")
        } catch {
            await server.stop(grace: .zero)
            throw error
        }
        await server.stop(grace: .zero)
    }

    func answer(_ request: EdgeRequest, on loop: any EventLoop, memo: inout EdgeMemo?) -> EdgeAnswer {
        let asked = Asked(
            method: "\(request.method)", path: String(buffer: request.path),
            tag: request.ifNoneMatch.map { String(buffer: $0) }, token: request.authorization.map { String(buffer: $0) }
        )
        let backend = state.withLock { state in
            if state.inFlight == 0 { state.rounds.append([]) }
            state.inFlight += 1
            state.rounds[state.rounds.count - 1].append(asked)
            return state.backend
        }
        let promise = loop.makePromise(of: EdgeAnswer.self)
        loop.scheduleTask(in: Self.delay) {
            promise.completeWithTask {
                defer { self.state.withLock { $0.inFlight -= 1 } }
                return try await Self.answer(asked, from: backend)
            }
        }
        return .later(promise.futureResult)
    }

    private static func answer(_ asked: Asked, from backend: String) async throws -> EdgeAnswer {
        let headers = [("if-none-match", asked.tag), ("authorization", asked.token)]
        let answer = try await httpCall(
            asked.method.uppercased(), backend + asked.path,
            headers: headers.compactMap { name, value in value.map { (name, $0) } }, followsRedirects: false)
        let passed = ["etag", "content-type", "www-authenticate", "location"]
        let fields = answer.headers.map { ($0.name.lowercased(), $0.value) }.filter { passed.contains($0.0) }
        return .rendered(
            RenderedAnswer(status: answer.status, headers: fields.map { (name: $0.0, value: $0.1) }, body: answer.body))
    }
}
