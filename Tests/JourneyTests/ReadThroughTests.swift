import Foundation
import TestSupport
import Testing

/// A repository that reads through to a registry which is not ours: nginx, with real crates and their index files.
@Suite(
    .serialized, .enabled(if: Corpus.isHere, "needs the corpus of real crates: see LONGSHORE_CORPUS in README.md"),
    .enabled("needs nginx", { try await StaticRegistry.canRun() }))
struct ReadThroughTests {
    /// `crates.io` is replaced by one edge.
    private func replacing(_ edge: LiveEdge) -> String {
        """
        [source.crates-io]
        replace-with = "longshore"
        [source.longshore]
        registry = "\(edge.index("main"))"
        """
    }

    private func readThrough(
        _ registry: StaticRegistry, as repository: String, freshSeconds: Int, _ system: LiveSystem
    ) async throws {
        try await system.origin.command(["repository", "create", repository])
        try await system.origin.command([
            "upstream", "add", repository, "crates-io", registry.index, "--fresh-seconds", "\(freshSeconds)",
            "--allow-private",
        ])
    }

    @Test func `with the upstream cut off, an empty home builds through an edge that never saw a crate`() async throws {
        try await LiveSystem.with { system in
            let corpus = try await Corpus.unpack(into: system.folder)
            let registry = try StaticRegistry(corpus, in: system.folder)
            try await registry.serve {
                try await readThrough(registry, as: "main", freshSeconds: 3600, system)
                let project = system.folder + "/probe"
                try FileManager.default.copyItem(atPath: corpus.probeProject, toPath: project)
                try? FileManager.default.removeItem(atPath: project + "/.cargo")

                let warming = try RealCargo(in: system.folder, configuration: replacing(system.edges[0]))
                let fetched = try await warming.run(["fetch"], in: project)
                try #require(fetched.status == 0, "\(fetched.text)")
                await registry.stop()
                let asked = try registry.requests()
                #expect(Set(asked).count == asked.count, "a file was asked for twice")

                try FileManager.default.removeItem(atPath: project + "/Cargo.lock")
                let empty = try RealCargo(in: system.folder, configuration: replacing(system.edges[1]))
                let built = try await empty.run(
                    ["build"], in: project, environment: ["CARGO_TARGET_DIR": system.folder + "/target"], seconds: 900)
                try #require(built.status == 0, "\(built.text)")
                #expect(built.text.contains("Downloaded") && !built.text.contains("spurious network error"))
                let probe = try await runTool(system.folder + "/target/debug/corpus-probe", [])
                #expect(probe.status == 0, "\(probe.text)")

                // Nobody can tell whether it exists: 503, never 404 (I11).
                let unknown = try await system.edges[1].get("/main/index/no/ne/nonesuch")
                #expect(unknown.status == 503 && unknown.header("retry-after") != nil)
                let shown = try await system.origin.command(["upstream", "show", "main"])
                #expect(shown.output.contains("nonesuch"), "\(shown.text)")
                let verified = try await system.origin.command(["verify"])
                #expect(verified.status == 0, "\(verified.text)")
            }
        }
    }

    @Test func `lines come byte for byte, and a yank reaches an edge by itself`() async throws {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let corpus = try await Corpus.unpack(into: system.folder)
            let registry = try StaticRegistry(corpus, in: system.folder)
            try await registry.serve {
                try await readThrough(registry, as: "main", freshSeconds: 1, system)
                try await system.origin.command(["upstream", "reserve", "main", "acme-*"])

                let file = corpus.folder + "/index/ad/le/adler"
                let line = try String(contentsOfFile: file, encoding: .utf8)
                let first = try await system.edges[0].get("/main/index/ad/le/adler")
                #expect(first.status == 200)
                #expect(first.text.trimmingCharacters(in: .newlines) == line.trimmingCharacters(in: .newlines))
                #expect(try await system.edges[0].get("/main/index/ac/me/acme-vault").status == 404)

                try line.replacing("\"yanked\":false", with: "\"yanked\":true").write(
                    toFile: file, atomically: true, encoding: .utf8)
                var served = first.text
                for _ in 0..<300 where !served.contains("\"yanked\":true") {
                    try await Task.sleep(for: .milliseconds(100))
                    served = try await system.edges[0].get("/main/index/ad/le/adler").text
                }
                #expect(served.contains("\"yanked\":true"))
                // What came before an outage is served after it, however old it is by then.
                await registry.stop()
                try await Task.sleep(for: .seconds(2))
                #expect(try await httpGet(system.origin.url + "/main/index/ad/le/adler").text == served)
                #expect(try !registry.requests().contains { $0.contains("acme") })
            }
        }
    }
}

/// nginx on the corpus's files, as a registry that other people run.
struct StaticRegistry {
    private struct NotReady: Error { let log: String }

    private let folder: String
    private let port: Int
    private let server = Current()

    var index: String { "sparse+http://127.0.0.1:\(port)/index/" }

    static func canRun() async throws -> Bool {
        try await runTool("sh", ["-c", "command -v nginx"]).status == 0
    }

    /// - Parameter parent: where its folder is made; the caller removes it.
    init(_ corpus: Corpus, in parent: String) throws { try self.init(folder: corpus.folder, in: parent) }

    /// - Parameter root: holds `index` and `crates`; its `config.json` is made anew.
    init(folder root: String, in parent: String) throws {
        folder = parent + "/static-\(UInt32.random(in: .min ... .max))"
        port = try freePort()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try "{\"dl\":\"http://127.0.0.1:\(port)/crates/{crate}/{crate}-{version}.crate\"}".write(
            toFile: root + "/index/config.json", atomically: true, encoding: .utf8)
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: " ")
        try """
        user root; daemon off; pid \(folder)/nginx.pid; error_log \(folder)/nginx.log; events {}
        http {
          log_format line '$status $request_uri'; access_log \(folder)/access.log line; \(temporary)
          gzip on; gzip_types *; gzip_min_length 1;
          server { listen 127.0.0.1:\(port); root \(root); }
        }
        """.write(toFile: folder + "/nginx.conf", atomically: true, encoding: .utf8)
    }

    /// Runs nginx while `body` runs, or until `body` stops it.
    func serve(_ body: () async throws -> Void) async throws {
        do {
            try await start()
            try await body()
        } catch {
            await stop()
            throw error
        }
        await stop()
    }

    private func start() async throws {
        let nginx = ServerProcess(
            "nginx", arguments: ["nginx", "-c", folder + "/nginx.conf"], logPath: folder + "/nginx.log")
        server.process = nginx
        for _ in 0..<600 where !nginx.hasEnded {
            if let answer = try? await httpGet("http://127.0.0.1:\(port)/index/config.json"), answer.status == 200 {
                return
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw NotReady(log: nginx.logTail)
    }

    func stop() async {
        await server.process?.stop()
        server.process = nil
    }

    /// Index files and crates that were asked for, but for `config.json`.
    func requests() throws -> [String] {
        try String(contentsOfFile: folder + "/access.log", encoding: .utf8).split(separator: "\n").map(String.init)
            .filter { !$0.hasSuffix("/config.json") }
    }
}
