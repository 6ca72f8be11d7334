import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

extension Faults {
    /// Five hundred clients want the same thing of an edge that has never heard of it, far from its origin.
    @Suite(.serialized)
    struct StampedeTests {
        private static let clients = 500

        @Test func `500 connections ask a cold edge for one crate file: the origin is asked once`() async throws {
            try await cold { system, hull in
                let answers = try await ask(system.edges[0].url + hull.path)
                #expect(answers.map(\.status) == Array(repeating: 200, count: Self.clients))
                #expect(answers.allSatisfy { $0.sha256 == hull.sha256 }, "I8")
                #expect(try await originRequests(system, "/edge/v1/crates/") == 1)
                report("500 connections, one absent crate file", answers)
            }
        }

        @Test func `500 connections ask a cold edge for one name that does not exist: the origin is asked once`()
            async throws
        {
            try await cold { system, _ in
                let answers = try await ask(system.edges[0].url + "/main/index/no/wh/nowhere")
                #expect(answers.map(\.status) == Array(repeating: 404, count: Self.clients))
                #expect(try await system.edges[0].originQuestions(after: 0) == 1)
                report("500 connections, one absent name", answers)
            }
        }

        @Test(.enabled(if: Namespaces.isOnPath("h2load"), "needs h2load (package nghttp2-client)"))
        func `500 streams of HTTP/2 over TLS ask a cold edge: the origin is asked once`() async throws {
            try await cold(tls: true) { system, hull in
                let base = system.edges[0].url.replacing("http://", with: "https://")
                let crate = try await h2load(base + hull.path)
                #expect(crate.contains("500 total, 500 started, 500 done, 500 succeeded, 0 failed, 0 errored"))
                #expect(crate.contains("status codes: 500 2xx"))
                #expect(crate.contains("(\(hull.bytes * Self.clients)) data"), "\(crate)")
                #expect(try await originRequests(system, "/edge/v1/crates/") == 1)

                let absent = try await h2load(base + "/main/index/no/wh/nowhere")
                #expect(absent.contains("500 total, 500 started, 500 done") && absent.contains("0 errored"))
                #expect(absent.contains("status codes: 0 2xx, 0 3xx, 500 4xx, 0 5xx"), "\(absent)")
                #expect(try await system.edges[0].originQuestions(after: 0) == 1)
                FaultReport.add(
                    .init(
                        scenario: "500 HTTP/2 streams, 10 connections, TLS", codes: "crate file 200×500; name 404×500",
                        fresh: "", notes: "one request each to the origin"))
            }
        }

        private struct Hull {
            let path: String
            let sha256: String
            let bytes: Int
        }

        private struct Answer {
            let status: Int
            let cache: String?
            let sha256: String
        }

        /// An origin with one crate, and an edge on the far side that holds nothing.
        private func cold(tls: Bool = false, _ body: (LiveSystem, Hull) async throws -> Void) async throws {
            try await Stage.with(Scene.Plan()) { stage in
                try await withTemporaryFolder("tls") { folder in
                    let flags = tls ? try await certificate(in: folder) : []
                    try await LiveSystem.with(
                        edges: ["eu"], databaseURL: stage.connectionString, edgeFlags: flags,
                        originPlace: stage.places.origin,
                        edgePlaces: ["eu": stage.places.far]
                    ) { system in
                        try await system.origin.command(["repository", "create", "main"])
                        let token = try await system.origin.token("ann", ["--action", "publish-new"])
                        let publisher = Publisher(url: system.origin.url, token: token, watch: Watch())
                        let crate = MadeCrate.large("hull", "1.0.0", bytes: 100_000)
                        let made = try #require(await publisher.publish(crate))
                        let bytes = try crate.crate().count
                        try await body(system, Hull(path: made.path, sha256: made.sha256, bytes: bytes))
                    }
                }
            }
        }

        private func certificate(in folder: String) async throws -> [String] {
            let made = try await runTool(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=eu",
                ], in: folder)
            try #require(made.status == 0, "\(made.text)")
            return ["--tls-certificate", folder + "/cert.pem", "--tls-key", folder + "/key.pem"]
        }

        /// All at once, each over a connection of its own.
        private func ask(_ url: String) async throws -> [Answer] {
            var configuration = HTTPClient.Configuration()
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.clients
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            do {
                let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                    for _ in 0..<Self.clients {
                        group.addTask {
                            let response = try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(60))
                            return Answer(
                                status: Int(response.status.code), cache: response.headers.first(name: "x-cache"),
                                sha256: sha256(try await response.body.collect(upTo: 1 << 20)))
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                try await client.shutdown()
                return answers
            } catch {
                try await client.shutdown()
                throw error
            }
        }

        private func h2load(_ url: String) async throws -> String {
            let load = try await runTool("h2load", ["-n", "\(Self.clients)", "-c", "10", "-m", "50", url])
            try #require(load.status == 0, "\(load.text)")
            return load.output
        }

        /// What the origin counted below an address.
        private func originRequests(_ system: LiveSystem, _ route: String) async throws -> Int {
            let metrics = try await httpGet(system.origin.managementURL + "/metrics").text
            let lines = metrics.split(separator: "\n").filter {
                $0.hasPrefix("longshore_http_requests_total{") && $0.contains(route)
            }
            return lines.compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0) { $0 + Int($1) }
        }

        private func report(_ scenario: String, _ answers: [Answer]) {
            let codes = Dictionary(grouping: answers) { "\($0.status) \($0.cache ?? "")" }
                .map { "\($0.key)×\($0.value.count)" }.sorted()
            FaultReport.add(
                .init(
                    scenario: scenario, codes: codes.joined(separator: " "), fresh: "",
                    notes: "one request to the origin"))
        }
    }
}
