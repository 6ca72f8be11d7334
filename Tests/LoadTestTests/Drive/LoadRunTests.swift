import ArgumentParser
import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import LoadTest

/// Runs against a real server over real connections.
struct LoadRunTests {
    /// Answers each request with `hi`; the path `/broken` with 503.
    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let request = String(buffer: unwrapInboundIn(data))
            let status = request.hasPrefix("GET /broken") ? "503 Service Unavailable" : "200 OK"
            context.writeAndFlush(
                wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 \(status)\r\ncontent-length: 2\r\n\r\nhi")), promise: nil)
        }
    }

    /// One request a session.
    private struct Getter: SessionMaker {
        let url: String
        let web: Web

        func session(
            user: Int, number: Int, intended: NIODeadline, random: inout SeededRandom
        ) async -> SessionRecord {
            let began = NIODeadline.now()
            let status = try? await web.get(url).status
            var record = SessionRecord(kind: .request, intended: intended, began: began, ended: .now())
            (record.requests, record.rounds, record.bytes) = (1, 1, 2)
            if status != 200 {
                record.hasFailed = true
                record.errors = [status.map { "status \($0)" } ?? "no answer": 1]
            }
            return record
        }
    }

    private func withServer(_ body: (String) async throws -> Void) async throws {
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Answerer()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        try await body("http://127.0.0.1:\(port)")
        try await server.close()
    }

    private func report(_ arguments: [String], _ target: String) async throws -> LoadReport {
        let options = try LoadOptions.parse(arguments)
        return try await Web.with(tls: try Trust.configuration(caFile: nil)) { web in
            try await LoadRun("requests", options: options).report(target) { Getter(url: $0, web: web) }
        }
    }

    @Test func `two servers are measured in turn, by the same users`() async throws {
        try await withServer { url in
            let own = ProcessInfo.processInfo.processIdentifier
            let report = try await report(
                [
                    "--users", "2", "--warmup", "100ms", "--duration", "60s", "--sessions", "50", "--compare",
                    url + "/b", "--rounds", "3", "--pid", "\(own)", "--compare-pid", "\(own)",
                ], url + "/a")
            #expect(report.sides.map(\.target) == [url + "/a", url + "/b"])
            #expect(report.rounds == 3)
            for side in report.sides {
                #expect(side.rounds.map(\.sessions) == [50, 50, 50])
                #expect([side.all.counts.sessions, side.all.counts.requests, side.all.counts.failed] == [150, 150, 0])
                #expect(side.errors == [:])
                #expect(side.server?.resident_peak ?? 0 > 1 << 20)
                #expect(side.timeline.map(\.round).max() == 3)
                #expect(side.bench.in_flight_peak == 2)
            }
            #expect(report.comparison?.first?.ratios.count == 3)
            #expect(!report.interrupted)
        }
    }

    @Test func `an open loop reports from the arrivals`() async throws {
        try await withServer { url in
            let report = try await report(
                ["--rate", "200", "--warmup", "0s", "--duration", "60s", "--sessions", "40"], url + "/a")
            #expect(report.latency_from == "intended arrival")
            let side = try #require(report.sides.first)
            #expect(side.all.counts.sessions == 40)
            #expect(side.bench.arrival_lateness?.count == 40)
        }
    }

    @Test func `failures are counted by kind, and nothing that works is measured for long`() async throws {
        try await withServer { url in
            let side = try #require(
                try await report(
                    ["--users", "1", "--warmup", "0s", "--duration", "60s", "--sessions", "3"], url + "/broken"
                ).sides.first)
            #expect(side.errors == ["status 503": 3])
            #expect(side.all.counts.failed == 3)
            #expect(side.all.latency == nil)
            let failure = try await #require(throws: BenchFailure.self) {
                try await report(["--users", "1", "--warmup", "200ms", "--duration", "60s"], url + "/broken")
            }
            #expect(failure.description.contains("status 503"))
        }
    }

    /// Its fifth session presses Ctrl-C.
    private struct Interrupter: SessionMaker {
        func session(
            user: Int, number: Int, intended: NIODeadline, random: inout SeededRandom
        ) async -> SessionRecord {
            if number == 4 { kill(getpid(), SIGINT) }
            // Cancelled never, so a sleep does not throw.
            try? await Task.sleep(for: .milliseconds(20))
            return SessionRecord(kind: .request, intended: intended, began: intended, ended: .now())
        }
    }

    @Test(arguments: [["--users", "1"], ["--rate", "50"]])
    func `Ctrl-C ends a run early, and it reports what it has`(pace: [String]) async throws {
        let options = try LoadOptions.parse(pace + ["--warmup", "0s", "--duration", "1h", "--rounds", "3"])
        let report = try await LoadRun("requests", options: options).report("x") { _ in Interrupter() }
        #expect(report.interrupted)
        #expect(report.rounds == 1)
        let sessions = try #require(report.sides.first).all.counts.sessions
        #expect(sessions >= 5)
        #expect(LoadReportText(report: report).text.contains("interrupted"))
    }

    /// Its fourth session never ends by itself, and by then nobody waits.
    private struct Impatient: SessionMaker {
        let stop: StopFlag

        func session(
            user: Int, number: Int, intended: NIODeadline, random: inout SeededRandom
        ) async -> SessionRecord {
            if number == 3 {
                stop.abandon()
                // Cancelled when nobody waits.
                try? await Task.sleep(for: .seconds(3_600))
            }
            return SessionRecord(kind: .request, intended: intended, began: intended, ended: .now())
        }
    }

    @Test func `after a second Ctrl-C nobody is waited for, and the report says how many had begun`() async throws {
        let options = try LoadOptions.parse(["--warmup", "0s", "--duration", "1h", "--rounds", "2"])
        let stop = StopFlag()
        let side = RunSide(figures: SideFigures(name: "A", target: "x"), maker: Impatient(stop: stop), pid: nil)
        let sides = try await RunRounds(options: options, stop: stop, loops: LoopWatch()).run([side]).map(\.figures)
        #expect(sides.map(\.all.sessions) == [3])
        #expect(sides.map(\.rounds.count) == [1])
        let report = LoadReport(
            run: LoadRun("requests", options: options), sides: sides, machine: Machine.here(), began: .now,
            interrupted: stop.isSet)
        #expect(report.interrupted)
        #expect(report.warnings.contains { $0.contains("1 more had begun") })
    }

    /// Works for so many sessions, and never after.
    private struct Breaking: SessionMaker {
        let after: Int

        func session(
            user: Int, number: Int, intended: NIODeadline, random: inout SeededRandom
        ) async -> SessionRecord {
            // Cancelled never, so a sleep does not throw.
            try? await Task.sleep(for: .milliseconds(10))
            var record = SessionRecord(kind: .request, intended: intended, began: intended, ended: .now())
            record.hasFailed = number >= after
            return record
        }
    }

    @Test func `a server that breaks in a later round loses nothing that was measured before`() async throws {
        // 5 sessions at most in each warm-up and 10 in each round: the first round works, the third can't.
        let options = try LoadOptions.parse(
            ["--warmup", "50ms", "--duration", "60s", "--sessions", "10", "--rounds", "3"])
        let report = try await LoadRun("requests", options: options).report("x") { _ in Breaking(after: 20) }
        let side = try #require(report.sides.first)
        #expect(side.rounds.first?.failed == 0)
        #expect(side.rounds.last?.failed == 10)
        #expect(side.all.counts.sessions == 30)
    }

    @Test func `sides that were answered over different HTTP are not compared in silence`() throws {
        let options = try LoadOptions.parse(["--compare", "b"])
        let start = NIODeadline.now()
        let sides = [SpokenCount(http1: 0, http2: 3), SpokenCount(http1: 3, http2: 0)].map { spoken in
            var figures = PhaseFigures(secondsPerPoint: 1, expectedInterval: nil)
            var record = SessionRecord(kind: .request, intended: start, began: start, ended: start)
            record.spoken = spoken
            figures.add(record)
            var side = SideFigures(name: "x", target: "y")
            side.add(
                figures, PhaseOutcome(began: start, drained: start, sessions: 1, inFlightPeak: 1), PhaseCost(),
                plannedSeconds: 1, secondsPerPoint: 1, offset: 0)
            return side
        }
        func warnings(_ sides: [SideFigures]) -> [String] {
            LoadReport(
                run: LoadRun("resolve", options: options), sides: sides, machine: Machine.here(), began: .now,
                interrupted: false
            ).warnings.filter { $0.contains("answered over") }
        }
        #expect(warnings(sides).map { $0.prefix(46) } == ["A was answered over HTTP/2, B over HTTP/1.1: -"])
        #expect(warnings([sides[0], sides[0]]) == [])
    }

    @Test(arguments: [["--arrivals", "uniform"], ["--users", "2", "--arrivals", "poisson"]])
    func `how arrivals are spread is refused where nobody arrives`(arguments: [String]) {
        #expect(throws: (any Error).self) { try LoadOptions.parse(arguments) }
    }

    @Test func `a run in which no session ended is a failure`() async throws {
        let options = try LoadOptions.parse(["--warmup", "0s", "--duration", "100ms", "--rate", "0.001"])
        let failure = try await #require(throws: BenchFailure.self) {
            try await LoadRun("requests", options: options).measure("x") { _ in Breaking(after: 0) }
        }
        #expect(failure.description.contains("nothing was measured"))
    }

    @Test func `a process that is not there is told before anything is measured`() async throws {
        let failure = try await #require(throws: BenchFailure.self) {
            try await report(["--warmup", "0s", "--pid", "999999999"], "http://127.0.0.1:1")
        }
        #expect(failure.description.contains("--pid"))
    }
}
