import Foundation
import TestSupport
import Testing

/// A registry with a graph that has everything which makes cargo ask, behind a recorder.
struct ResolveScene {
    let folder: String
    let system: LiveSystem
    let registrar: Registrar
    let recorder: RequestRecorder
    /// Where clients go.
    let balancer: TestBalancer

    /// Of the root; `REG` stands for the registry's name.
    static let dependencies = """
        tug = { version = "1", REG }
        q = { version = "0.1", REG }
        opt-user = { version = "1", REG }
        passing = { version = "1", features = ["through"], REG }
        yk = { version = "1", REG }
        early = { version = "=1.0.0-rc.1", REG }
        bt = { version = "1", REG }
        deep = { version = "0.9", REG }
        [dev-dependencies]
        own-test = { version = "1", REG }
        [dependencies.root-optional]
        version = "1"
        optional = true
        package = "deep"
        REG

        """

    static func with(isPrivate: Bool = false, _ body: (ResolveScene) async throws -> Void) async throws {
        try await RequestRecorder.with { recorder, url in
            try await TestBalancer.with { balancer in
                balancer.backends = [url]
                try await LiveSystem.with(edges: ["eu"], edgePublicURL: balancer.url) { system in
                    if isPrivate { try await system.origin.command(["repository", "create", "main", "--private"]) }
                    recorder.pass(to: system.edges[0].url)
                    try await body(
                        ResolveScene(
                            folder: system.folder, system: system,
                            registrar: try await Registrar(system.origin, makesRepository: !isPrivate),
                            recorder: recorder, balancer: balancer))
                }
            }
        }
    }

    /// What clients ask while `body` runs.
    func asked(_ body: () async throws -> Void) async throws -> [[RequestRecorder.Asked]] {
        _ = recorder.takeRounds()
        try await body()
        return recorder.takeRounds()
    }

    // MARK: The graph

    func publishGraph() async throws {
        for (name, version, tables) in Self.graph {
            let text = """
                [package]
                edition = "2021"
                name = "\(name)"
                version = "\(version)"
                description = "made for a test"
                license = "MIT"

                [lib]
                path = "src/lib.rs"

                \(tables.replacingOccurrences(of: "REG", with: "registry-index = \"sparse+\(system.origin.url)/main/index/\""))
                """
            let answer = try await registrar.publish(MadeCrate(name, version).manifest(text), to: system.origin.url)
            try #require(answer.status == 200, "\(name): \(answer.text)")
        }
        let yanked = try await httpCall(
            "DELETE", system.origin.url + "/main/api/v1/crates/yk/1.1.0/yank",
            headers: [("authorization", registrar.token)])
        try #require(yanked.status == 200, "\(yanked.text)")
    }

    /// In an order in which they can be published.
    private static let graph: [(name: String, version: String, tables: String)] =
        ["winny", "toolsmith", "Buoy_Mixed", "maybe-on", "maybe-off", "never-dev", "yk-new", "early-one", "early-two"]
        .map { ($0, "1.0.0", "") } + [
            ("deep", "0.9.0", ""), ("deep", "1.0.0", ""), ("bt-old", "1.0.0", ""), ("own-test", "1.0.0", ""),
            ("maybe-weak", "1.0.0", "[features]\nextra = []\n"),
            ("lowest", "1.0.0", "[dependencies]\nBuoy_Mixed = { version = \"1\", REG }\n"),
            ("mid", "1.0.0", "[dependencies]\nlowest = { version = \"1\", REG }\n"),
            ("mid", "1.1.0", "[dependencies]\nlowest = { version = \"1\", REG }\ndeep = { version = \"1\", REG }\n"),
            (
                "tug", "1.0.0",
                """
                [dependencies]
                mid = { version = "1", REG }
                [dev-dependencies]
                never-dev = { version = "1", REG }
                [build-dependencies]
                toolsmith = { version = "1", REG }
                [target.'cfg(windows)'.dependencies]
                winny = { version = "1", REG }

                """
            ),
            ("q", "0.1.0", "[dependencies]\nalias = { version = \"1\", package = \"mid\", REG }\n"),
            ("q", "0.2.0", "[dependencies]\nnever-dev = { version = \"1\", REG }\n"),
            (
                "opt-user", "1.0.0",
                """
                [dependencies]
                maybe-on = { version = "1", optional = true, REG }
                maybe-off = { version = "1", optional = true, REG }
                maybe-weak = { version = "1", optional = true, REG }
                [features]
                default = ["std"]
                std = ["maybe-weak?/extra"]
                fast = ["dep:maybe-on"]
                slow = ["dep:maybe-off"]
                weak = ["dep:maybe-weak"]

                """
            ),
            (
                "passing", "1.0.0",
                """
                [dependencies]
                opt-user = { version = "1", REG }
                [features]
                through = ["opt-user/fast"]

                """
            ),
            ("yk", "1.0.0", "[dependencies]\ndeep = { version = \"1\", REG }\n"),
            ("yk", "1.1.0", "[dependencies]\nyk-new = { version = \"1\", REG }\n"),
            ("early", "1.0.0-rc.1", "[dependencies]\nearly-one = { version = \"1\", REG }\n"),
            ("early", "1.0.0-rc.2", "[dependencies]\nearly-two = { version = \"1\", REG }\n"),
            ("bt", "1.0.0", "[dependencies]\nbt-old = { version = \"1\", REG }\n"),
            ("bt", "1.1.0", "[dependencies]\ndeep = { version = \"7\", REG }\n"),
        ]

    // MARK: Clients

    func cargo() throws -> RealCargo {
        let configuration = """
            [registries.longshore]
            index = "sparse+\(balancer.url)/main/index/"
            token = "\(registrar.token)"
            credential-provider = ["cargo:token"]

            """
        return try RealCargo(in: folder, configuration: configuration)
    }

    /// A package with these dependencies.
    ///
    /// - Returns: its folder.
    func project(_ dependencies: String) throws -> String {
        let place = "\(folder)/project-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: place + "/src", withIntermediateDirectories: true)
        try "".write(toFile: place + "/src/lib.rs", atomically: true, encoding: .utf8)
        try """
        [package]
        name = "app"
        version = "0.1.0"
        edition = "2021"

        [dependencies]
        \(dependencies.replacingOccurrences(of: "REG", with: "registry = \"longshore\""))
        """.write(toFile: place + "/Cargo.toml", atomically: true, encoding: .utf8)
        return place
    }

    /// Makes the lock file, and takes it away again unless it is kept.
    func lock(_ cargo: RealCargo, _ project: String, succeeds: Bool = true, keepsFile: Bool = false) async throws {
        let run = try await cargo.run(["generate-lockfile"], in: project)
        #expect((run.status == 0) == succeeds, "\(run.text)")
        if succeeds, !keepsFile { try FileManager.default.removeItem(atPath: project + "/Cargo.lock") }
    }

    /// One session of `resolve`.
    func resolve(_ arguments: [String], succeeds: Bool = true) async throws {
        let index = "\(balancer.url)/main/index/"
        let run = try await runTool(
            Program.bench.path,
            ["resolve", index, "--speech", "h2c", "--sessions", "1", "--warmup", "0s"] + arguments)
        #expect((run.status == 0) == succeeds, "\(run.text)")
    }
}
