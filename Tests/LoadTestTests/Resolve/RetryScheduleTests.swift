import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import LoadTest

struct RetryScheduleTests {
    private func answer(_ status: Int, _ retryAfter: String? = nil) -> WireOutcome {
        let fields = retryAfter.map { [(name: "retry-after", value: $0)] } ?? []
        return .success(
            WireAnswer(
                status: status, isHTTP2: true, fields: fields, body: ByteBuffer(), bodyBytes: 0, sent: .now(),
                firstByte: .now(),
                ended: .now()))
    }

    @Test func `a failed file is asked for three times more, ever later`() {
        for outcome in [
            answer(500), answer(503), answer(429), .failure(.closed), .failure(.tooSlow), .failure(.reset(2)),
        ] {
            let pauses = (1...4).map { RetrySchedule.pause(after: outcome, failures: $0, first: 0.75) }
            #expect(pauses == [.milliseconds(750), .milliseconds(3_500), .milliseconds(6_500), nil])
        }
    }

    @Test func `an answer is an answer, and what is no HTTP gets no better`() {
        for outcome in [200, 304, 404, 401, 403, 410, 302].map({ answer($0) }) + [
            .failure(.garbled("x")), .failure(.cannotConnect(Reason.untrusted)),
        ] {
            #expect(RetrySchedule.pause(after: outcome, failures: 1, first: 1) == nil)
        }
    }

    @Test(arguments: [
        (503, "2", Duration.seconds(2)), (429, "0", .zero), (503, "60", .seconds(10)), (503, "-1", .seconds(1)),
        (503, "soon", .seconds(1)), (500, "2", .seconds(1)),
    ])
    func `the server's word counts, up to ten seconds`(status: Int, retryAfter: String, pause: Duration) {
        #expect(RetrySchedule.pause(after: answer(status, retryAfter), failures: 1, first: 1) == pause)
    }

    // MARK: Over the wire

    private func answers(_ heads: [String]) -> WireServer.Script {
        let asked = Mutex(0)
        return { _, heard in
            guard heard.suffix(4).elementsEqual("\r\n\r\n".utf8) else { return .wait }
            let number = asked.withLock { count in
                count += 1
                return count - 1
            }
            return .text("HTTP/1.1 \(heads[min(number, heads.count - 1)])\r\ncontent-length: 0\r\n\r\n")
        }
    }

    private func ask(_ heads: [String]) async throws -> (statuses: [Int?], tally: PatientClient.Tally) {
        let result = Mutex<(statuses: [Int?], tally: PatientClient.Tally)>(([], PatientClient.Tally()))
        try await WireServer.with(.http1, answers(heads)) { _, target in
            let client = PatientClient(
                wire: WireClient(target, tls: nil, on: MultiThreadedEventLoopGroup.singleton.next()))
            var random = SeededRandom(seed: 1)
            let (outcomes, tally) = await client.ask([WireRequest(path: "/a")], &random)
            await client.wire.close()
            result.withLock { $0 = (outcomes.map { try? $0.get().status }, tally) }
        }
        return result.withLock { $0 }
    }

    @Test func `a retry that succeeds is an answer, and its failures are counted`() async throws {
        let busy = "503 Busy\r\nretry-after: 0"
        let (statuses, tally) = try await ask([busy, busy, "200 OK"])
        #expect(statuses == [200])
        #expect(tally.requests == 3 && tally.retries == 2)
        #expect(tally.errors == ["status 503": 2])
    }

    @Test func `after the fourth failure the file is given up`() async throws {
        let (statuses, tally) = try await ask(["429 Slowly\r\nretry-after: 0"])
        #expect(statuses == [429])
        #expect(tally.requests == 4 && tally.retries == 3)
        #expect(tally.errors == ["status 429": 4])
    }

    @Test func `a refusal is not asked again`() async throws {
        let (statuses, tally) = try await ask(["403 No", "200 OK"])
        #expect(statuses == [403])
        #expect(tally.requests == 1 && tally.errors == ["status 403": 1])
    }

    @Test func `a failed file is asked again while a slow one is still to come`() async throws {
        try await StaticIndex.with { index, url in
            index.set("/index/a", "text")
            index.set("/index/slow", "text")
            index.refuse("/index/a", [503])
            index.delay("/index/slow", .milliseconds(700))
            let place = try RegistryPlace(url, .http2, token: nil, caFile: nil)
            let client = try place.client(for: place.target)
            var random = SeededRandom(seed: 1)
            let requests = ["/index/slow", "/index/a"].map { WireRequest(path: $0) }
            let (outcomes, tally) = await client.ask(requests, &random)
            await client.wire.close()
            let answers = try outcomes.map { try $0.get() }
            #expect(answers.map(\.status) == [200, 200])
            #expect(answers[1].ended < answers[0].ended)
            #expect(tally.requests == 3 && tally.retries == 1)
        }
    }
}
