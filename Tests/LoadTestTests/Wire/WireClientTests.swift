import EdgeHTTP
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import LoadTest

struct WireClientTests {
    private static let hello = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"

    private func client(_ target: WireTarget, _ change: (inout WireClient.Limits) -> Void = { _ in }) -> WireClient {
        var limits = WireClient.Limits()
        limits.answerTime = .seconds(20)
        change(&limits)
        return WireClient(target, tls: nil, on: MultiThreadedEventLoopGroup.singleton.next(), limits: limits)
    }

    private func burst(_ client: WireClient, _ count: Int, _ path: String = "/a") async -> [WireOutcome] {
        await client.burst((0..<count).map { _ in WireRequest(path: path, keepsBody: true) })
    }

    private func statuses(_ outcomes: [WireOutcome]) -> [Int?] { outcomes.map { try? $0.get().status } }

    private func failure(_ outcome: WireOutcome?) -> WireFailure? {
        if case .failure(let failure) = outcome { return failure }
        return nil
    }

    @Sendable private static func answers(_ text: String) -> WireServer.Script {
        { _, heard in heard.suffix(4).elementsEqual("\r\n\r\n".utf8) ? .text(text) : .wait }
    }

    // MARK: HTTP/1.1

    @Test func `HTTP 1 takes two connections and keeps them`() async throws {
        try await WireServer.with(.http1, Self.answers(Self.hello)) { server, target in
            let client = client(target)
            let first = await burst(client, 20)
            let bodies = try first.map { String(buffer: try $0.get().body) }
            #expect(bodies == Array(repeating: "hello", count: 20))
            #expect(statuses(await burst(client, 3)) == [200, 200, 200])
            #expect(server.connections == 2)
            #expect(client.connectionsOpened == 2)
            await client.close()
        }
    }

    @Test func `a 503 in chunks is an answer like any other`() async throws {
        let text = "HTTP/1.1 503 Busy\r\nRetry-After: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"
        try await WireServer.with(.http1, Self.answers(text)) { _, target in
            let client = client(target)
            let answer = try await burst(client, 1)[0].get()
            #expect(answer.status == 503)
            #expect(answer.field("retry-after") == "2")
            #expect(answer.bodyBytes == 2)
            await client.close()
        }
    }

    @Test func `a kept connection that the server closed is replaced without a word`() async throws {
        try await WireServer.with(.http1) { number, heard in
            // The first connection answers once and hangs up on the second request.
            if number == 0, heard.starts(with: "GET /b".utf8) { return .sendAndClose([]) }
            return .text(Self.hello)
        } _: { server, target in
            let client = client(target)
            #expect(statuses(await burst(client, 1)) == [200])
            #expect(statuses(await burst(client, 1, "/b")) == [200])
            #expect(server.connections == 2)
            await client.close()
        }
    }

    @Test func `an answer that breaks off is a failure and is not asked for again`() async throws {
        try await WireServer.with(.http1) { _, _ in
            .sendAndClose(Array("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal".utf8))
        } _: { server, target in
            let client = client(target)
            #expect(failure(await burst(client, 1).first) == .closed)
            #expect(server.connections == 1)
            await client.close()
        }
    }

    @Test(arguments: [WireTarget.Speech.http1, .http2])
    func `a silent server fails the request when its time is over`(speech: WireTarget.Speech) async throws {
        try await WireServer.with(speech) { _, _ in
            .wait
        } _: { _, target in
            let client = client(target) { $0.answerTime = .milliseconds(200) }
            #expect(failure(await burst(client, 1).first) == .tooSlow)
            await client.close()
        }
    }

    @Test func `nobody listening is said in words`() async throws {
        let client = client(WireTarget(host: "127.0.0.1", port: 1, isEncrypted: false, speech: .http2))
        let outcomes = await burst(client, 3)
        #expect(outcomes.map { failure($0)?.kind } == Array(repeating: "no connection: Connection refused", count: 3))
        await client.close()
    }

    // MARK: Upgrade

    @Test func `an upgrade that is refused goes on as HTTP 1`() async throws {
        let openings = Mutex<[String]>([])
        try await WireServer.with(.upgrade) { _, heard in
            openings.withLock { $0.append(String(decoding: heard, as: UTF8.self)) }
            return .text(Self.hello)
        } _: { server, target in
            let client = client(target)
            #expect(statuses(await burst(client, 5)) == Array(repeating: 200, count: 5))
            #expect(server.connections == 2)
            let first = try #require(openings.withLock { $0.first })
            #expect(
                first.contains("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ"))
            await client.close()
        }
    }

    @Test(arguments: [WireTarget.Speech.upgrade, .http2])
    func `our edge grants HTTP 2, and more than 100 requests take a second connection`(
        speech: WireTarget.Speech
    ) async throws {
        try await withEdge(speech) { target in
            let client = client(target)
            let one = try await burst(client, 1, "/one")[0].get()
            #expect(String(buffer: one.body) == "/one")
            #expect(statuses(await burst(client, 100)) == Array(repeating: 200, count: 100))
            #expect(client.connectionsOpened == 1)
            #expect(statuses(await burst(client, 300)) == Array(repeating: 200, count: 300))
            #expect(client.connectionsOpened == 2)
            await client.close()
        }
    }

    private struct Echo: EdgeHandler {
        func answer(_ request: EdgeRequest, on loop: any EventLoop, memo: inout EdgeMemo?) -> EdgeAnswer {
            let answer = EdgeAnswer.rendered(RenderedAnswer(status: 200, headers: [], body: request.path))
            let promise = loop.makePromise(of: EdgeAnswer.self)
            loop.scheduleTask(in: .milliseconds(100)) { promise.succeed(answer) }
            return .later(promise.futureResult)
        }
    }

    private func withEdge(_ speech: WireTarget.Speech, _ body: (WireTarget) async throws -> Void) async throws {
        let configuration = EdgeServerConfiguration(listeners: [.init(host: "127.0.0.1", port: 0)])
        let server = EdgeServer(
            configuration: configuration, handler: Echo(),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), observer: nil)
        try await server.start()
        let port = server.boundAddresses.first?.port ?? 0
        do {
            try await body(WireTarget(host: "127.0.0.1", port: port, isEncrypted: false, speech: speech))
        } catch {
            await server.stop(grace: .zero)
            throw error
        }
        await server.stop(grace: .zero)
    }

    // MARK: HTTP/2

    @Test func `GOAWAY: what the server has not looked at goes to another connection`() async throws {
        try await WireServer.with(.http2) { number, heard in
            let streams = Frames.heads(heard)
            if number > 0 { return .send((number == 1 ? Frames.settings : []) + streams.flatMap(Frames.ok)) }
            guard streams.count == 3 else { return .wait }
            return .send(Frames.settings + Frames.goAway(last: 1) + Frames.ok(1))
        } _: { server, target in
            let client = client(target)
            #expect(statuses(await burst(client, 3)) == [200, 200, 200])
            #expect(server.connections == 2)
            await client.close()
        }
    }

    @Test func `a reset stream fails alone; a refused one is sent again`() async throws {
        try await WireServer.with(.http2) { number, heard in
            let streams = Frames.heads(heard)
            guard number == 0, streams.count == 2 else {
                return streams.isEmpty ? .wait : .send(Frames.settings + streams.flatMap(Frames.ok))
            }
            return .send(Frames.settings + Frames.reset(1, code: 2) + Frames.reset(3, code: 7))
        } _: { _, target in
            let client = client(target)
            let outcomes = await burst(client, 2)
            #expect(failure(outcomes.first) == .reset(2))
            #expect(statuses(outcomes) == [nil, 200])
            await client.close()
        }
    }

    @Test func `a cut connection fails what was on its way`() async throws {
        try await WireServer.with(.http2) { _, heard in
            Frames.heads(heard).isEmpty ? .wait : .sendAndClose(Frames.settings + Frames.ok(1))
        } _: { _, target in
            let client = client(target)
            let outcomes = await burst(client, 2)
            #expect(statuses(outcomes) == [200, nil])
            #expect(failure(outcomes.last) == .closed)
            await client.close()
        }
    }

    @Test func `what is no HTTP 2 is said to be none`() async throws {
        try await WireServer.with(.http2) { _, _ in
            .text(Self.hello)
        } _: { _, target in
            let client = client(target)
            guard case .garbled? = failure(await burst(client, 1).first) else {
                Issue.record("the answer was taken for HTTP/2")
                return
            }
            await client.close()
        }
    }
}
