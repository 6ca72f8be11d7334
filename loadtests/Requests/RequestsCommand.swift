import ArgumentParser
import FoundationEssentials
import NIOCore
import NIOPosix
import NIOSSL

/// `longshore-bench requests`: a server's hot path, with a client that costs little.
struct RequestsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requests",
        abstract: "Asks a server for a list of paths as fast as it can answer, or at a fixed rate.",
        discussion: """
            One thread keeps a few connections full, in an order drawn by --seed. Closed loop: --connections ×
            --streams requests are always on their way. Open loop (--rate): requests are due at random times,
            and latency counts from when a request was due, whether or not a connection was free.

              longshore-bench requests https://127.0.0.1:8443/main/index --crates names.txt --gzip --ca-file ca.pem \\
                  --pid $(pidof longshore-edge) --pin 1 \\
                  --compare https://127.0.0.1:9443/index --compare-pid $(cat nginx.pid) --pid-tree

            Server CPU is that of all threads of --pid, to the nanosecond. Ends with 1 if any answer was not the
            expected 200, or 304 with --known. Ctrl-C ends it early, and it reports what it has.
            """)

    @Argument(help: "The address that paths lie below; with --crates that of an index.") var url: String
    @Option(help: ArgumentHelp("Paths to ask for, one a line.", valueName: "file")) var paths: String?
    @Option(help: ArgumentHelp("Instead: names of crates, whose index files are asked for.", valueName: "file"))
    var crates: String?
    @Option(help: WireTarget.Speech.help) var speech: WireTarget.Speech?
    @Option(help: "Connections, 1 to 10000.") var connections = 8
    @Option(help: "Requests at once on each connection, 1 to 100; 1 with h1.") var streams = 64
    @Flag(help: "Accepts gzip.") var gzip = false
    @Flag(help: "Learns each path's ETag first, then asks with it and expects 304.") var known = false
    @Option(help: ArgumentHelp("A token for each request.", valueName: "file")) var tokenFile: String?
    @Option(help: ArgumentHelp("PEM certificates to trust beside the system's.", valueName: "file")) var caFile: String?
    @Option(help: ArgumentHelp("Open loop: requests a second.", valueName: "per second")) var rate: Double?
    @Option(help: ArgumentHelp("Measured time of each round: 500ms, 10s, 2m.", valueName: "time")) var duration = Span(
        .seconds(5))
    @Option(help: ArgumentHelp("Time before it that is not counted.", valueName: "time")) var warmup = Span(.seconds(1))
    @Option(help: ArgumentHelp("Draws the order of the paths.", valueName: "n")) var seed: UInt64 = 1
    @Option(help: ArgumentHelp("The server's process on this machine; may be repeated.", valueName: "pid"))
    var pid: [Int] = []
    @Flag(help: "Counts the children of these processes too, such as a server's workers.") var pidTree = false
    @Option(help: ArgumentHelp("A second server: both are measured in turn, A B A B.", valueName: "url"))
    var compare: String?
    @Option(help: ArgumentHelp("Its process; may be repeated.", valueName: "pid")) var comparePid: [Int] = []
    @Option(help: ArgumentHelp("Rounds, 1 to 100. (default: 5 with --compare, else 1)", valueName: "n"))
    var rounds: Int?
    @Option(help: ArgumentHelp("Keeps this client on one processor.", valueName: "core")) var pin: Int?
    @Flag(help: "Prints JSON.") var json = false
    @Option(help: ArgumentHelp("Writes a page with curves for a browser.", valueName: "file")) var html: String?

    func validate() throws {
        guard (paths == nil) != (crates == nil) else { throw ValidationError("give one of --paths and --crates") }
        guard (1...10_000).contains(connections) else { throw ValidationError("--connections takes 1 to 10000") }
        guard (1...100).contains(streams) else { throw ValidationError("--streams takes 1 to 100") }
        guard (1...10_000_000).contains(rate ?? 1) else { throw ValidationError("--rate takes 1 to 10000000") }
        guard (1...100).contains(rounds ?? 1) else { throw ValidationError("--rounds takes 1 to 100") }
        guard (.milliseconds(100) ... .seconds(3_600)).contains(duration.duration) else {
            throw ValidationError("--duration takes 100ms to 1h")
        }
        guard warmup.duration <= .seconds(600) else { throw ValidationError("--warmup takes 10m at most") }
        if compare == nil, !comparePid.isEmpty { throw ValidationError("--compare-pid needs --compare") }
    }

    private struct SidePlan {
        let target: WireTarget
        let base: WebBase
        let tls: NIOSSLContext?
        let requests: [WireRequest]
        let pids: [Int]
    }

    func run() async throws {
        if let html { try ReportFile.checkWritable(html) }
        if let pin { try OwnProcessor.pin(to: pin) }
        try OpenFiles.allow(connections + 64)
        var source = try RequestSource(file: paths, crates: crates)
        source.acceptsGzip = gzip
        source.token = try tokenFile.map { path throws(BenchFailure) in
            try SecretText.read(path, flag: "--token-file")
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let (began, stop) = (Date.now, StopFlag())
        let measured: [RequestSide]
        do {
            measured = try await stop.whileWatching { try await measure(source, stop, on: group.next()) }
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
        let report = RequestReport(
            settings: settings, expectedStatus: known ? 304 : 200,
            sides: measured.map { (target: $0.target, rounds: $0.rounds.map(\.tally)) }, interrupted: stop.isSet)
        if let html {
            try ReportFile.write(LoadPage(page(report, measured, began: began)).text, to: html)
        }
        print(json ? try Console.json(report) : report.text)
        guard measured.contains(where: { !$0.rounds.isEmpty }) else {
            throw BenchFailure("it was ended before anything was measured")
        }
        guard report.errors == 0 else {
            throw BenchFailure(
                "\(Shown.count(report.errors)) requests had no answer of status \(report.expected_status)")
        }
    }

    private func measure(
        _ source: RequestSource, _ stop: StopFlag, on loop: any EventLoop
    ) async throws -> [RequestSide] {
        var plans = [try await side(url, pid, source, on: loop)]
        if let compare { plans.append(try await side(compare, comparePid, source, on: loop)) }
        var sides = plans.map { RequestSide(target: $0.base.url) }
        for round in 0..<roundCount {
            for (place, plan) in plans.enumerated() where !stop.isSet {
                let name = plans.count > 1 ? ", \(place == 0 ? "A" : "B")" : ""
                let progress = RequestProgress("round \(round + 1) of \(roundCount)\(name)", of: duration.duration)
                let measured = try await measure(plan, round: round, progress, stop, on: loop)
                if let measured { sides[place].rounds.append(measured) }
            }
        }
        return sides
    }

    private var roundCount: Int { rounds ?? (compare == nil ? 1 : 5) }

    private func side(
        _ url: String, _ pids: [Int], _ source: RequestSource, on loop: any EventLoop
    ) async throws -> SidePlan {
        guard let base = WebBase(url) else {
            throw BenchFailure("`\(url)` is no plain URL: give an address such as http://127.0.0.1:8080/main/index")
        }
        let target = WireTarget(base, speech)
        let tls = try target.tls(caFile: caFile)
        guard known else {
            return SidePlan(target: target, base: base, tls: tls, requests: source.requests(below: base), pids: pids)
        }
        let client = WireClient(target, tls: tls, on: loop)
        let outcome: Result<[WireRequest], BenchFailure>
        do throws(BenchFailure) {
            outcome = .success(try await source.requestsThatKnow(base, through: client))
        } catch { outcome = .failure(error) }
        await client.close()
        return SidePlan(target: target, base: base, tls: tls, requests: try outcome.get(), pids: pids)
    }

    /// - Returns: nil if Ctrl-C came before anything was measured.
    private func measure(
        _ side: SidePlan, round: Int, _ progress: RequestProgress, _ stop: StopFlag, on loop: any EventLoop
    ) async throws -> RequestSide.Round? {
        let plan = RequestPlan(
            connections: connections, streams: speech == .http1 ? 1 : streams, pace: rate.map { .rate($0) } ?? .full,
            warmUp: TimeAmount(warmup.duration), duration: TimeAmount(duration.duration), seed: seed &+ UInt64(round),
            expectedStatus: known ? 304 : 200)
        let (target, tls, requests, pids, tree) = (side.target, side.tls, side.requests, side.pids, pidTree)
        let done = loop.makePromise(of: RequestTally?.self)
        let (began, residentBefore) = (NIODeadline.now(), Self.residentBytes(pids))
        loop.execute {
            RequestLoad(target, tls: tls, requests, plan, on: loop).run {
                pids.isEmpty ? nil : try ServerUse.now(of: pids, withChildren: tree)
            } isOver: {
                stop.isSet
            } each: {
                progress.show($0, $1)
            } done: {
                progress.end()
                done.completeWith($0)
            }
        }
        guard let tally = try await done.futureResult.get() else { return nil }
        return RequestSide.Round(
            tally: tally, began: began + TimeAmount(warmup.duration), residentBefore: residentBefore,
            residentAfter: Self.residentBytes(pids))
    }

    private static func residentBytes(_ pids: [Int]) -> Int {
        pids.reduce(0) { $0 + (ProcessTree.use(of: $1)?.residentBytes ?? 0) }
    }

    private func page(_ report: RequestReport, _ sides: [RequestSide], began: Date) -> LoadReport {
        LoadReport(
            report, sides, rate: rate, requestsAtOnce: connections * (speech == .http1 ? 1 : streams),
            times: (warmup.duration, duration.duration), seed: seed, began: began)
    }

    private var settings: [String: String] {
        [
            "speech": speech?.rawValue ?? "as cargo", "connections": "\(connections)",
            "streams": "\(speech == .http1 ? 1 : streams)", "gzip": "\(gzip)", "known": "\(known)",
            "token": "\(tokenFile != nil)", "pace": rate.map { "\($0) a second, Poisson" } ?? "closed loop",
            "duration": "\(duration)", "warmup": "\(warmup)", "seed": "\(seed)", "pin": pin.map { "\($0)" } ?? "no",
        ]
    }
}

extension WireTarget.Speech: ExpressibleByArgument {
    static let help = ArgumentHelp(
        "What is spoken: h2 (over TLS by ALPN, else at once), h2c (HTTP/1.1 that asks for an upgrade), h1. (default: as cargo: "
            + "h2 for https, h2c for http)")
}
