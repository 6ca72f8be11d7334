import Foundation
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import LoadTest

/// `requests` against a real server, and what its page says.
struct RequestPageTests {
    private func tally(_ url: String, _ paths: [String], seconds: Int64) async throws -> (RequestTally, [Int]) {
        let (tally, ticks) = try await load(
            url, paths, .rate(200), warmUp: .milliseconds(100), .milliseconds(seconds * 1_000 + 500))
        return (try #require(tally), ticks)
    }

    private func load(
        _ url: String, _ paths: [String], _ pace: RequestPlan.Pace, warmUp: TimeAmount, _ duration: TimeAmount,
        isOver: @escaping @Sendable () -> Bool = { false }
    ) async throws -> (RequestTally?, [Int]) {
        let target = WireTarget(try #require(WebBase(url)), .http2)
        let plan = RequestPlan(
            connections: 1, streams: 4, pace: pace, warmUp: warmUp, duration: duration, seed: 1, expectedStatus: 200)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let done = loop.makePromise(of: (RequestTally?, [Int]).self)
        loop.execute {
            var ticks: [Int] = []
            RequestLoad(target, tls: nil, paths.map { WireRequest(path: $0) }, plan, on: loop).run {
                nil
            } isOver: {
                isOver()
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

    private func report(_ sides: [RequestTally]) -> RequestReport {
        RequestReport(settings: [:], expectedStatus: 200, sides: sides.map { (target: "x", rounds: [$0, $0]) })
    }

    @Test func `a server that is silent until the end has failed`() async throws {
        try await StaticIndex.with { index, url in
            index.set("/index/a", "text")
            index.delay("/index/a", .hours(1))
            let (found, _) = try await load(url, ["/index/a"], .full, warmUp: .zero, .hours(1)) {
                index.asked.count >= 4
            }
            let tally = try #require(found)
            #expect(tally.answers == 0)
            #expect(tally.failures == [RequestLoad.unanswered: 4])
            #expect(tally.points.reduce(0) { $0 + $1.failed } == 4)
            #expect(report([tally]).errors == 8)
            index.delay("/index/a", .zero)
        }
    }

    @Test func `answers of another status are no rate, and their side is not better`() {
        func tally(good: Int, refused: Int) -> RequestTally {
            var tally = RequestTally()
            tally.seconds = 1
            tally.statuses[200] = good
            tally.statuses[403] = refused
            for _ in 0..<good { tally.latency.record(.milliseconds(refused > 0 ? 1 : 5)) }
            return tally
        }
        let found = report([tally(good: 100, refused: 0), tally(good: 200, refused: 1_800)])
        #expect(found.sides.map(\.total.requests_per_second) == [100, 200])
        #expect(found.sides.map(\.total.failed) == [0, 3_600])
        #expect(found.comparison.allSatisfy { $0.better == .unclear })
        #expect(
            found.warnings == ["B: 3,600 of 4,000 requests (90 %) failed: latencies and rates are those of the others"])
        #expect(report([tally(good: 100, refused: 0), tally(good: 200, refused: 0)]).comparison[0].better == .betterB)
    }

    @Test func `a client that waited for its core was the bottleneck`() {
        var tally = RequestTally()
        (tally.seconds, tally.ownCPUSeconds, tally.ownWaitSeconds) = (1, 0.5, 0.45)
        #expect(report([tally]).warnings.contains { $0.contains("used 50 % of its core and waited 45 %") })
        tally.ownWaitSeconds = 0.1
        #expect(report([tally]).warnings == [])
    }

    @Test func `it ends early with what was measured, or with nothing`() async throws {
        try await StaticIndex.with { index, url in
            index.set("/index/a", "text")
            let asked = { @Sendable in index.asked.count > 20 }
            let (early, _) = try await load(url, ["/index/a"], .full, warmUp: .hours(1), .hours(1), isOver: asked)
            #expect(early == nil)
            let (late, _) = try await load(url, ["/index/a"], .full, warmUp: .zero, .hours(1), isOver: asked)
            #expect(try #require(late).answered(200) > 0)
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
