import Foundation
import TestSupport
import Testing

/// The nginx examples of docs/OPERATIONS.md as they stand there, with a real nginx: doctor, feed, publish and build.
///
/// Only names, ports and places of files are replaced by those of the test.
@Suite(.serialized, .enabled("needs root and nginx", { try await NginxPage.canRun() }))
struct ProxyJourneyTests {
    @Test func `below a path, with one of two replicas down`() async throws {
        try await withTemporaryFolder("proxy") { folder in
            let page = try await NginxPage(folder)
            try await LiveSystem.with(edges: ["eu"], publicURL: page.url("localhost") + "/crates") { system in
                try await page.serve([page.blocks[0]], ["forge.example": "localhost"], system) {
                    try await journey(system, page, base: page.url("localhost") + "/crates", origin: nil)
                }
            }
        }
    }

    @Test func `at the root, with a download host of its own and an edge behind nginx`() async throws {
        try await withTemporaryFolder("proxy") { folder in
            let page = try await NginxPage(folder)
            let names = [
                "eu.crates.example": "127.0.0.2", "downloads.example": "127.0.0.1", "crates.example": "localhost",
            ]
            try await LiveSystem.with(
                edges: ["eu"], originFlags: ["--download-url", page.url("127.0.0.1")],
                publicURL: page.url("localhost"), edgePublicURL: page.url("127.0.0.2")
            ) { system in
                let upstream = try #require(page.blocks[0].components(separatedBy: "server {\n").first)
                try await page.serve([upstream] + page.blocks[1...], names, system) {
                    try await journey(system, page, base: page.url("localhost"), origin: nil)
                    try await journey(system, page, base: page.url("127.0.0.2"), origin: page.url("localhost"))
                }
            }
        }
    }

    @Test func `both origin examples pass on who asks, and buffer nothing that edges are sent`() async throws {
        try await withTemporaryFolder("proxy") { folder in
            let page = try await NginxPage(folder)
            for (block, prefix) in [(page.blocks[0], "/crates/"), (page.blocks[1], "/")] {
                let clients = try #require(page.location(prefix, in: block))
                #expect(clients.contains("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"))
                let edges = try #require(page.location(prefix + "edge/v1/", in: block))
                #expect(edges.contains("proxy_buffering off;"))
            }
        }
    }

    /// - Parameters:
    ///   - base: what stands before `/main/index/`.
    ///   - origin: where the API is, if `base` is an edge's.
    private func journey(_ system: LiveSystem, _ page: NginxPage, base: String, origin: String?) async throws {
        let name = "quay-\(UInt32.random(in: .min ... .max))"
        if origin == nil { try await system.origin.command(["repository", "create", "main"]) }
        let token = try await system.origin.token("ann", ["--action", "publish-new"])
        let configuration = """
            [registries.longshore]
            index = "sparse+\(base)/main/index/"
            credential-provider = "cargo:token"
            [http]
            cainfo = "\(page.authority.certificate)"
            """
        let workspace = try MadeWorkspace(
            in: system.folder + "/\(name)", registry: "longshore", [.init(name), .init("uses-\(name)", needs: [name])])
        let cargo = try RealCargo(in: system.folder, configuration: configuration)
        let environment = ["CARGO_REGISTRIES_LONGSHORE_TOKEN": token]
        let published = try await cargo.run(
            ["publish", "--registry", "longshore", "--allow-dirty", "--no-verify", "-p", name], in: workspace.folder,
            environment: environment)
        #expect(published.status == 0, "\(published.text)")
        // Verified this time: built against what was published, from an empty home.
        let other = try RealCargo(in: system.folder, configuration: configuration)
        let built = try await other.run(
            ["publish", "--registry", "longshore", "--allow-dirty", "-p", "uses-\(name)"], in: workspace.folder,
            environment: environment)
        #expect(built.status == 0 && built.text.contains("Downloaded \(name)"), "\(built.text)")

        let doctor = try await page.trusting([
            Program.origin.path, "doctor", "\(base)/main/index/", "--crate", name,
        ])
        #expect(doctor.status == 0, "\(doctor.text)")
        for check in ["addresses", "api", "absence", "index", "download", "http2", "upload"] {
            #expect(doctor.output.contains(" \(check) "), "\(check) was left out: \(doctor.text)")
        }
        #expect(doctor.output.contains("ok       http2         negotiated by ALPN"), "\(doctor.text)")
        guard origin == nil else { return }
        // A proxy that buffers would keep the first lease to itself.
        let feed = try await page.trusting([
            "curl", "-sN", "--max-time", "4", "-H", "authorization: Bearer \(try system.edges[0].credential)",
            "\(base)/edge/v1/feed?after=latest",
        ])
        #expect(feed.output.contains("event: lease"), "\(feed.text)")
    }
}

/// The page's examples, and a place to run them.
private struct NginxPage {
    struct Unexpected: Error { let text: String }

    let blocks: [String]
    let authority: TestAuthority
    private let folder: String
    private let port: Int

    static func canRun() async throws -> Bool {
        guard try await SmallDisk.isPossible() else { return false }
        return try await runTool("sh", ["-c", "command -v nginx"]).status == 0
    }

    init(_ folder: String) async throws {
        self.folder = folder
        port = try freePort()
        authority = try await TestAuthority(in: folder, names: ["DNS:localhost", "IP:127.0.0.1", "IP:127.0.0.2"])
        let page = try String(contentsOfFile: projectFolder + "/docs/OPERATIONS.md", encoding: .utf8)
        blocks = page.components(separatedBy: "```nginx\n").dropFirst().compactMap {
            $0.components(separatedBy: "```").first
        }
        guard blocks.count == 4 else { throw Unexpected(text: "\(blocks.count) examples") }
    }

    /// What stands in the braces of a `location`.
    func location(_ prefix: String, in block: String) -> String? {
        block.components(separatedBy: "location \(prefix) {").dropFirst().first?.components(separatedBy: "    }").first
    }

    func url(_ host: String) -> String { "https://\(host):\(port)" }

    /// Runs nginx with these blocks while `body` runs.
    func serve(
        _ blocks: some Sequence<String>, _ names: [String: String], _ system: LiveSystem,
        _ body: () async throws -> Void
    ) async throws {
        var text = blocks.joined(separator: "\n")
        let nobody = try freePort()
        let places = [
            ("10.0.0.11:8080", String(system.origin.url.dropFirst("http://".count))),
            ("10.0.0.12:8080", "127.0.0.1:\(nobody)"),
            ("10.0.0.21:8081", String(system.edges[0].url.dropFirst("http://".count))),
            ("listen 443", "listen \(port)"),
        ]
        for (old, new) in places { text = text.replacing(old, with: new) }
        text.replace(#/ssl_certificate +\S+;/#, with: "ssl_certificate \(authority.serverCertificate);")
        text.replace(#/ssl_certificate_key +\S+;/#, with: "ssl_certificate_key \(authority.serverKey);")
        // The longest first, since one name ends with another.
        for (old, new) in names.sorted(by: { $0.key.count > $1.key.count }) { text = text.replacing(old, with: new) }
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: " ")
        try """
        user root; daemon off; pid \(folder)/nginx.pid; error_log \(folder)/nginx.log; events {}
        http { access_log off; \(temporary)
        \(text)
        }
        """.write(toFile: folder + "/nginx.conf", atomically: true, encoding: .utf8)
        try await RunningNginx.with(
            configurationIn: folder,
            isReady: { try await runTool("curl", ["-sko", "/dev/null", url("localhost")]).status == 0 }, body)
    }

    /// Runs a program on a machine whose system trusts the test's authority.
    func trusting(_ command: [String]) async throws -> ToolResult {
        let script = "mount --bind \"$0\" /etc/ssl/certs/ca-certificates.crt && exec \"$@\""
        return try await runTool("unshare", ["-m", "sh", "-c", script, authority.certificate] + command)
    }
}
