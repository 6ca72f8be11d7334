import AsyncHTTPClient
import Foundation
import NIOCore

/// Real programs on this machine: origin replicas over one PostgreSQL, and edges, all with folders and ports of their own.
///
/// Nothing is mocked; every part can be stopped, killed and started again by the test.
package final class LiveSystem: Sendable {
    package let folder: String
    package let origins: [LiveOrigin]
    package let edges: [LiveEdge]

    private init(folder: String, origins: [LiveOrigin], edges: [LiveEdge]) {
        self.folder = folder
        self.origins = origins
        self.edges = edges
    }

    /// The first replica.
    package var origin: LiveOrigin { origins[0] }

    /// Starts everything, runs `body`, stops everything; on a failure the parts' last log lines are printed.
    ///
    /// - Parameters:
    ///   - databaseURL: nil lets the one origin run a PostgreSQL of its own; replicas need one that they share.
    ///   - balancer: stands between the edges and the replicas; nil: edges know the first replica only.
    ///   - originFlags: added to every replica's `serve`.
    ///   - publicURL: what the origin calls itself, if something stands before it; nil: its address.
    ///   - edgePublicURL: one public address for all edges; nil: each edge has its own.
    ///   - originDisk: a small disk of the origin's own; likewise `edgeDisk`.
    ///   - originPlace: where the replicas run.
    ///   - edgePlaces: where edges run, by name; the others run on this machine itself.
    package static func with(
        edges edgeNames: [String] = ["eu", "us"], replicas: Int = 1, databaseURL: String? = nil,
        balancer: TestBalancer? = nil, originFlags: [String] = [], edgeFlags: [String] = [], publicURL: String? = nil,
        edgePublicURL: String? = nil, originDisk: SmallDisk? = nil, edgeDisk: SmallDisk? = nil,
        originPlace: LivePlace = .here, edgePlaces: [String: LivePlace] = [:],
        _ body: (LiveSystem) async throws -> Void
    ) async throws {
        try await withTemporaryFolder("live") { folder in
            let edgesToBe = try edgeNames.map {
                (name: $0, port: try freePort(), place: edgePlaces[$0] ?? .here)
            }
            // Manifests that name an edge's own address mean this registry.
            let aliases =
                (edgesToBe.map { "http://\($0.place.address):\($0.port)" } + [edgePublicURL].compactMap(\.self))
                .joined(separator: ",")
            let flags = originFlags + (aliases.isEmpty ? [] : ["--index-aliases", aliases])
            let origins = try (1...replicas).map { number in
                try LiveOrigin(
                    number: number, folder: folder, databaseURL: databaseURL, flags: flags, publicURL: publicURL,
                    disk: originDisk, place: originPlace)
            }
            let edges = try edgesToBe.map { edge in
                let port = balancer?.port ?? origins[0].port
                let originURL = edge.place.originHost.map { "http://\($0):\(port)" } ?? balancer?.url
                return try LiveEdge(
                    name: edge.name, port: edge.port, folder: folder, origin: origins[0], originURL: originURL,
                    flags: edgeFlags, publicURL: edgePublicURL, disk: edgeDisk, place: edge.place)
            }
            let system = LiveSystem(folder: folder, origins: origins, edges: edges)
            balancer?.backends = origins.map(\.url)
            do {
                for origin in origins { try await origin.start() }
                for edge in edges {
                    try await edge.join()
                    try await edge.start()
                }
                try await body(system)
            } catch {
                system.printLogs()
                await system.stop()
                throw error
            }
            await system.stop()
        }
    }

    package func stop() async {
        for edge in edges { await edge.stop() }
        for origin in origins.reversed() { await origin.stop() }
    }

    private func printLogs() {
        for (name, path) in origins.map({ ($0.name, $0.logPath) }) + edges.map({ ($0.name, $0.logPath) }) {
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            print("---- \(name)\n" + text.split(separator: "\n").suffix(30).joined(separator: "\n"))
        }
    }
}

/// Where a part of a system runs: on this machine itself, or in a namespace that the tests can reach.
package struct LivePlace: Sendable {
    /// Stands before the program, `ip netns exec NAME`; has to `exec`, so that the pid is the program's.
    package var prefix: [String]
    /// Where the tests reach the part.
    package var address: String
    /// Where an edge of this place reaches the origin, or the balancer before it; nil: where the tests do.
    package var originHost: String?
    package var environment: [String: String?] = [:]

    package init(prefix: [String], address: String, originHost: String? = nil) {
        self.prefix = prefix
        self.address = address
        self.originHost = originHost
    }

    package static let here = LivePlace(prefix: [], address: "127.0.0.1")

    /// In a namespace others than the tests come too, and by other addresses.
    var listensOn: String { prefix.isEmpty ? address : "0.0.0.0" }
}

/// One of our programs, built beside the tests.
package enum Program: String, Sendable {
    case origin = "longshore-origin"
    case edge = "longshore-edge"
    case bench = "longshore-bench"

    package var path: String {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        // `swift test` runs the test bundle itself, or a helper of the toolchain that is told where the bundle is.
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }.map {
            URL(fileURLWithPath: $0).deletingLastPathComponent()
        }
        return (bundle ?? tests).appendingPathComponent(rawValue).path
    }
}

/// One origin replica.
package final class LiveOrigin: Sendable {
    package let name: String
    package let url: String
    package let managementURL: String
    package let logPath: String
    package let data: String

    let port: Int
    private let databaseURL: String?
    private let arguments: [String]
    private let disk: SmallDisk?
    private let place: LivePlace
    private let current = Current()

    /// An origin that runs from `start` to `stop`.
    ///
    /// - Parameter folder: where its data folder and log are made.
    package init(
        number: Int, folder: String, databaseURL: String?, flags: [String] = [], publicURL: String? = nil,
        disk: SmallDisk? = nil, place: LivePlace = .here
    ) throws {
        name = "origin-\(number)"
        self.place = place
        let management = try freePort()
        port = try freePort()
        url = "http://\(place.address):\(port)"
        managementURL = "http://\(place.address):\(management)"
        // Replicas share the blob folder as they share the database.
        data = folder + "/origin"
        logPath = folder + "/\(name).log"
        self.databaseURL = databaseURL
        self.disk = disk
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        let command =
            [
                Program.origin.path, "serve", "--data", data, "--address", "\(place.listensOn):\(port)",
                "--management-address", "\(place.listensOn):\(management)", "--public-url", publicURL ?? url,
            ] + flags
        arguments = place.prefix + (disk?.mounted(below: data, command) ?? command)
    }

    package var process: ServerProcess? { current.process }

    /// What a program needs to find this replica's database.
    package var commandEnvironment: [String: String?] { ["DATABASE_URL": databaseURL] }

    package func start() async throws {
        let all = commandEnvironment.merging(place.environment) { _, placed in placed }
        let process = ServerProcess(name, arguments: arguments, environment: all, logPath: logPath)
        current.process = process
        try await awaitReady(managementURL, of: process)
    }

    package func stop() async { await current.process?.stop() }
    package func killNow() async { await current.process?.killNow() }

    /// Waits until a part of it that ended by itself is back.
    package func ready() async throws {
        guard let process else { return }
        try await awaitReady(managementURL, of: process)
    }

    /// The private PostgreSQL's first process, as its pid file says; nil without a private one.
    package var postmasterPID: Int32? {
        let text = try? String(contentsOfFile: data + "/postgres/data/postmaster.pid", encoding: .utf8)
        return text?.split(separator: "\n").first.flatMap { Int32($0) }
    }

    /// Runs a command of `longshore-origin` on this replica's database; it must end with this status.
    @discardableResult
    package func command(_ arguments: [String], status: Int32 = 0) async throws -> ToolResult {
        let command = [Program.origin.path] + arguments + ["--data", data]
        let words = disk == nil ? command : try SmallDisk.beside(process, command)
        let result = try await runTool(words[0], Array(words[1...]), environment: commandEnvironment, seconds: 300)
        guard result.status == status else { throw CommandFailed(arguments: arguments, text: result.text) }
        return result
    }

    /// Makes a token and returns its secret.
    package func token(_ login: String, _ flags: [String]) async throws -> String {
        try await command(["token", "create", "--login", login, "--name", "test"] + flags).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// One edge, and the credential with which it joined.
package final class LiveEdge: Sendable {
    package let name: String
    package let url: String
    package let managementURL: String
    package let logPath: String
    package let data: String

    private let origin: LiveOrigin
    private let credentialPath: String
    private let arguments: [String]
    private let place: LivePlace
    private let current = Current()

    init(
        name: String, port: Int, folder: String, origin: LiveOrigin, originURL: String?, flags: [String],
        publicURL: String?, disk: SmallDisk?, place: LivePlace
    ) throws {
        self.name = name
        self.origin = origin
        self.place = place
        let management = try freePort()
        url = "http://\(place.address):\(port)"
        managementURL = "http://\(place.address):\(management)"
        data = folder + "/edge-\(name)"
        credentialPath = folder + "/edge-\(name).credential"
        logPath = folder + "/edge-\(name).log"
        let command =
            [
                Program.edge.path, "serve", "--name", name, "--data", data, "--origin-url", originURL ?? origin.url,
                "--credential-file", credentialPath, "--address", "\(place.listensOn):\(port)",
                "--management-address", "\(place.listensOn):\(management)", "--public-url", publicURL ?? url,
            ] + flags
        arguments = place.prefix + (disk?.mounted(below: data, command) ?? command)
    }

    package var process: ServerProcess? { current.process }

    /// `sparse+http://…/` of a repository, as it stands in cargo's configuration.
    package func index(_ repository: String) -> String { "sparse+\(url)/\(repository)/index/" }

    /// The secret with which it asks the origin.
    package var credential: String {
        get throws { try String(contentsOfFile: credentialPath, encoding: .utf8) }
    }

    package func join() async throws {
        let made = try await origin.command(["edge", "create", name])
        let secret = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
        try secret.write(toFile: credentialPath, atomically: true, encoding: .utf8)
    }

    package func start() async throws {
        let process = ServerProcess(
            name, arguments: arguments, environment: place.environment, logPath: logPath)
        current.process = process
        try await awaitReady(managementURL, of: process)
    }

    package func stop() async { await current.process?.stop() }
    package func killNow() async { await current.process?.killNow() }

    /// Waits until it calls what it holds current; a minute at most. Ready is less: it may serve while it is cut off.
    package func fresh() async throws {
        for _ in 0..<600 {
            let figures = try? await httpGet(managementURL + "/metrics").text
            if figures?.contains("\nlongshore_feed_fresh 1") == true { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw NotReady(name: name, log: process?.logTail ?? "")
    }

    package func get(_ path: String, headers: [(String, String)] = []) async throws -> HTTPAnswer {
        try await httpGet(url + path, headers: headers)
    }
}

package struct CommandFailed: Error, CustomStringConvertible {
    let arguments: [String]
    let text: String

    package var description: String { "longshore-origin \(arguments.joined(separator: " ")) failed: \(text)" }
}

package struct NotReady: Error, CustomStringConvertible {
    let name: String
    let log: String

    package var description: String { "\(name) is not ready; its log ends with:\n\(log)" }
}

/// Asks `/readyz` until it says 200; a minute at most, and not longer than the process lives.
private func awaitReady(_ managementURL: String, of process: ServerProcess) async throws {
    for _ in 0..<600 where !process.hasEnded {
        if let answer = try? await httpGet(managementURL + "/readyz"), answer.status == 200 { return }
        try await Task.sleep(for: .milliseconds(100))
    }
    throw NotReady(name: process.name, log: process.logTail)
}

extension LiveEdge {
    /// How often the edge has asked its origin for an index file or a closure, in however many parts.
    package func originQuestions() async throws -> Int {
        let metrics = try await httpGet(managementURL + "/metrics").text
        return metrics.split(separator: "\n").reduce(0) { sum, line in
            guard line.hasPrefix("longshore_origin_requests_total"),
                line.contains("kind=\"index\"") || line.contains("kind=\"closure\"")
            else { return sum }
            return sum + (line.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) } ?? 0)
        }
    }

    /// The same, of questions since then. One counts when its last part has come, which may be after the answers: up to five
    /// seconds are waited for the first.
    package func originQuestions(after before: Int) async throws -> Int {
        for _ in 0..<100 where try await originQuestions() == before { try await Task.sleep(for: .milliseconds(50)) }
        return try await originQuestions() - before
    }
}
