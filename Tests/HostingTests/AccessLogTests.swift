import AsyncHTTPClient
import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1
import Testing

@testable import Hosting

struct AccessLogTests {
    private struct Context: AccessLogged {
        var coreContext: CoreRequestContextStorage
        let facts = RequestFacts()
        init(source: Source) { coreContext = .init(source: source) }
    }

    /// Asks `uri` of a small server, and returns the answer's `x-request-id` and the log's lines.
    private func ask(
        _ uri: String, requestID: String? = nil
    ) async throws -> (status: Int, requestID: String?, lines: [String]) {
        let log = Order()
        let router = Router(context: Context.self)
        router.add(middleware: AccessLog(quietRoutes: ["/quiet"]))
        router.add(middleware: RequestLimits(concurrentMax: 8))
        router.get("/t/:token/:crate") { _, context in
            context.facts.note("crate", "bar")
            context.logger.info("inside")
            return "12345"
        }
        router.get("/broken") { _, _ -> String in throw HTTPError(.badRequest, message: "no") }
        router.get("/quiet") { _, _ in "" }
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) },
            logger: Logger(label: "http") { ServiceLog(label: $0, level: .info, format: .json, write: log.note) })
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await application.run() }
            var iterator = ports.makeAsyncIterator()
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(await iterator.next() ?? 0)\(uri)")
            if let requestID { request.headers.add(name: "x-request-id", value: requestID) }
            let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
            _ = try await answer.body.collect(upTo: 1000)
            if uri != "/quiet" { await log.wait { $0.contains(#""route":"#) } }
            tasks.cancelAll()
            return (
                Int(answer.status.code), answer.headers.first(name: "x-request-id"),
                log.all.filter { $0.contains(#""request":"#) }
            )
        }
    }

    @Test func `a request is one line with what it was about, and nothing secret`() async throws {
        let answer = try await ask("/t/hunter2/bar?ls-sig=xyz")
        #expect(answer.status == 200)
        let line = try #require(answer.lines.last { $0.contains("\"route\"") })
        for part in [
            #""bytes":"5""#, #""crate":"bar""#, #""method":"GET""#, #""path":"/t/…/bar""#,
            #""route":"/t/{token}/{crate}""#, #""status":"200""#,
        ] {
            #expect(line.contains(part), "\(part) in \(line)")
        }
        #expect(!answer.lines.joined().contains("hunter2") && !answer.lines.joined().contains("xyz"))
    }

    @Test func `the request's id ties all its lines to the answer`() async throws {
        let answer = try await ask("/t/x/bar", requestID: "abc-1")
        #expect(answer.requestID == "abc-1")
        #expect(answer.lines.count >= 2)
        for line in answer.lines { #expect(line.contains(#""request":"abc-1""#)) }
    }

    @Test(arguments: ["a b", "<x>", String(repeating: "a", count: 65), "é"])
    func `an id that could do harm is replaced`(given: String) async throws {
        let id = try #require(try await ask("/t/x/bar", requestID: given).requestID)
        #expect(id != given && RequestID.harmless(id) != nil)
    }

    @Test func `an error that no one answered is logged with its status`() async throws {
        let answer = try await ask("/broken")
        #expect(answer.status == 400)
        #expect(answer.lines.contains { $0.contains(#""status":"400""#) })
    }

    @Test func `quiet routes leave no line at info`() async throws {
        #expect(try await ask("/quiet").lines.isEmpty)
    }
}
