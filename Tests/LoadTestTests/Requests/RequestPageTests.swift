import Foundation
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import LoadTest

/// `requests` against a real server, and what its page says.
struct RequestPageTests {
    private func tally(_ url: String, _ paths: [String], seconds: Int64) async throws -> (RequestTally, [Int]) {
        let target = WireTarget(try #require(WebBase(url)), .http2)
        let plan = RequestPlan(
            connections: 1, streams: 4, pace: .rate(200), warmUp: .milliseconds(100),
            duration: .milliseconds(seconds * 1_000 + 500), seed: 1, expectedStatus: 200)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let done = loop.makePromise(of: (RequestTally, [Int]).self)
        loop.execute {
            var ticks: [Int] = []
            RequestLoad(target, tls: nil, paths.map { WireRequest(path: $0) }, plan, on: loop).run {
                nil
            } each: { second, _ in
                ticks.append(second)
            } done: { result in
                done.completeWith(result.map { ($0, ticks) })
            }
        }
        return try await done.futureResult.get()
    }

    @Test func `each second is a point, and together they are the whole`() async throws {
        try await StaticIndex.with { index, url in
            index.set("/index/a", "text")
            let (tally, ticks) = try await tally(url, ["/index/a", "/index/gone"], seconds: 2)
            #expect(ticks == [1, 2])
            #expect(tally.points.map(\.seconds) == [0, 1, 2])
            #expect(tally.points.reduce(0) { $0 + $1.sessions } == tally.answers)
            #expect(tally.points.reduce(0) { $0 + $1.failed } == tally.answered(404))
            #expect(tally.answered(404) > 0 && tally.answered(200) > 0)
        }
    }

    @Test func `the page shows both sides, their errors and their curves`() async throws {
        try await StaticIndex.with { index, url in
            index.set("/index/a", "text")
            let (good, _) = try await tally(url, ["/index/a"], seconds: 1)
            let (bad, _) = try await tally(url, ["/index/a", "/index/gone"], seconds: 1)
            let sides = [("http://a.example", good), ("http://b.example", bad)].map { target, tally in
                let round = RequestSide.Round(tally: tally, began: .now(), residentBefore: 0, residentAfter: 0)
                return RequestSide(target: target, rounds: [round])
            }
            let report = RequestReport(
                settings: ["speech": "h2"], expectedStatus: 200,
                sides: sides.map { (target: $0.target, rounds: $0.rounds.map(\.tally)) })
            let page = LoadReport(
                report, sides, rate: 200, requestsAtOnce: 4, times: (.zero, .seconds(1)), seed: 1, began: .now)
            #expect(page.sides.map(\.all.counts.sessions) == [good.answers, bad.answers])
            #expect(page.sides.map(\.all.counts.failed) == [0, bad.answered(404)])
            #expect(page.sides.map(\.errors) == [[:], ["status 404": bad.answered(404)]])
            #expect(page.sides[0].timeline.count >= 1 && !page.sides[0].curve.isEmpty)
            let text = LoadPage(page).text
            for part in ["http://a.example", "http://b.example", "status 404", "Latency by percentile", "one request"] {
                #expect(text.contains(part), "\(part)")
            }
        }
    }
}
