import EdgeHTTP
import NIOCore
import Synchronization

/// Answers by the path that is asked for:
///
/// | path | answer |
/// |------|--------|
/// | `/text` | 200, 3 KB of text, compressible |
/// | `/large` | 200, 8 MiB from memory |
/// | `/echo…` | 200, what the request was, one line each |
/// | `/whose` | 200, the address of who asks |
/// | `/unchanged` | 304 |
/// | `/later/N…` | `/echo…` after N milliseconds |
/// | `/never` | a future that nobody completes |
/// | `/fails` | a future that fails |
/// | `/file`, `/gone`, `/short` | the test's file; an absent one; one with fewer bytes than announced |
/// | else | 404; 405 for methods other than GET and HEAD |
///
/// At a glance: `/text`, `/echo…` and `/unchanged`, with the same answers.
struct ScriptedHandler: EdgeHandler {
    static let text = String(repeating: "{\"name\":\"serde\",\"vers\":\"1.0.0\"}\n", count: 100)
    static let largeBytes = 8 << 20

    var file = ""
    var fileBytes = 0
    /// False: whatever is asked takes the long way.
    var glances = true
    let glanced = Tally()

    private static let textAnswer = RenderedAnswer(
        status: 200, headers: [("content-type", "text/plain"), ("etag", "\"g1-a\"")], body: ByteBuffer(string: text),
        // Not real gzip: who asks for it must get exactly this, byte for byte.
        gzip: ByteBuffer(string: "compressed"))
    private static let largeAnswer = RenderedAnswer(
        status: 200, headers: [], body: ByteBuffer(repeating: 0x61, count: largeBytes))

    func answer(_ request: EdgeRequest, on loop: any EventLoop, memo: inout EdgeMemo?) -> EdgeAnswer {
        if request.method == .other { return rendered(405, "only GET and HEAD", [("allow", "GET, HEAD")]) }
        let path = String(buffer: request.path)
        switch path {
        case "/text": return .rendered(Self.textAnswer)
        case "/large": return .rendered(Self.largeAnswer)
        case "/whose": return rendered(200, request.peer.text ?? "nobody's")
        case "/unchanged": return rendered(304, "")
        case "/never": return .later(loop.makePromise(of: EdgeAnswer.self).futureResult)
        case "/fails": return .later(loop.makeFailedFuture(ChannelError.eof))
        case "/file": return .file(FileAnswer(status: 200, headers: [], path: file, bytes: fileBytes))
        case "/gone": return .file(FileAnswer(status: 200, headers: [], path: file + ".gone", bytes: 10))
        case "/short": return .file(FileAnswer(status: 200, headers: [], path: file, bytes: fileBytes + 1))
        default:
            if path.hasPrefix("/echo") { return echo(request) }
            if path.hasPrefix("/later/") { return later(request, path, loop) }
            return rendered(404, "no such thing")
        }
    }

    func glance(_ glimpse: EdgeGlimpse) -> EdgeGlance? {
        guard glances else { return nil }
        let path = String(decoding: glimpse.path, as: UTF8.self)
        let tag = glimpse.ifNoneMatch.map { String(decoding: $0, as: UTF8.self) }
        let answer: RenderedAnswer
        switch path {
        case "/text": answer = Self.textAnswer
        case "/unchanged": answer = Self.made(304, "")
        case _ where path.hasPrefix("/echo"): answer = Self.made(200, "\(path)\n-\n-\n\(tag ?? "-")")
        default: return nil
        }
        glanced.add()
        return EdgeGlance(answer, label: 0)
    }

    private func later(_ request: EdgeRequest, _ path: String, _ loop: any EventLoop) -> EdgeAnswer {
        let time = path.split(separator: "/").dropFirst().first.flatMap { Int64($0) } ?? 0
        let promise = loop.makePromise(of: EdgeAnswer.self)
        loop.scheduleTask(in: .milliseconds(time)) { promise.succeed(echo(request)) }
        return .later(promise.futureResult)
    }

    private func echo(_ request: EdgeRequest) -> EdgeAnswer {
        let facts = [request.path, request.query, request.authorization, request.ifNoneMatch]
        return rendered(200, facts.map { $0.map { String(buffer: $0) } ?? "-" }.joined(separator: "\n"))
    }

    private func rendered(_ status: Int, _ text: String, _ headers: [(String, String)] = []) -> EdgeAnswer {
        .rendered(Self.made(status, text, headers))
    }

    private static func made(_ status: Int, _ text: String, _ headers: [(String, String)] = []) -> RenderedAnswer {
        RenderedAnswer(status: status, headers: headers, body: ByteBuffer(string: text))
    }
}

/// A number that only grows.
final class Tally: Sendable {
    private let number = Mutex(0)

    var value: Int { number.withLock { $0 } }

    func add() { number.withLock { $0 += 1 } }
}

/// Keeps what an observer is told.
final class KeepingObserver: EdgeRequestObserver {
    let seen = Mutex<[String]>([])
    /// What was told of just before it left, in the same words.
    let left = Mutex<[String]>([])
    let order = Mutex<[String]>([])

    var takesGlances: Bool { true }

    func leaves(_ glimpse: EdgeGlimpse, _ outcome: EdgeOutcome) {
        let text = "\(String(decoding: glimpse.path, as: UTF8.self)) \(outcome.status) \(outcome.bytes)"
        left.withLock { $0.append(text) }
        seen.withLock { $0.append(text) }
        order.withLock { $0 += ["left", "finished"] }
    }

    func leaves(_ request: EdgeRequest, _ outcome: EdgeOutcome) {
        left.withLock { $0.append("\(String(buffer: request.path)) \(outcome.status) \(outcome.bytes)") }
        order.withLock { $0.append("left") }
    }

    func finished(_ request: EdgeRequest, _ outcome: EdgeOutcome, duration: TimeAmount) {
        order.withLock { $0.append("finished") }
        seen.withLock { $0.append("\(String(buffer: request.path)) \(outcome.status) \(outcome.bytes)") }
    }
}
