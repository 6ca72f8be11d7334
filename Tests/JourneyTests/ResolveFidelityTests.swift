import Foundation
import TestSupport
import Testing

/// What `longshore-bench resolve` asks is what a real cargo asks of the same registry, round by round.
@Suite(.serialized)
struct ResolveFidelityTests {
    @Test func `cold and warm, resolve asks what cargo asks`() async throws {
        try await ResolveScene.with { scene in
            try await scene.publishGraph()
            let manifest = try scene.project(ResolveScene.dependencies)
            let home = try scene.cargo()
            for kind in ["cold", "warm"] {
                let real = try await scene.asked { try await scene.lock(home, manifest) }
                let ours = try await scene.asked {
                    try await scene.resolve(["--manifest", "\(manifest)/Cargo.toml", "--home", kind])
                }
                #expect(real.count == 5, "\(real)")
                // A warm home is made by a cold session before.
                #expect(ours.suffix(real.count) == real[...], "\(kind)")
                #expect(ours.count == (kind == "cold" ? 1 : 2) * real.count)
                // All but `config.json` are asked conditionally, or none.
                #expect(real.joined().count { $0.tag != nil } == (kind == "cold" ? 0 : real.joined().count - 1))
            }
        }
    }

    @Test func `the graph makes cargo follow and leave what it is made to`() async throws {
        try await ResolveScene.with { scene in
            try await scene.publishGraph()
            let manifest = try scene.project(ResolveScene.dependencies)
            let real = try await scene.asked { try await scene.lock(try scene.cargo(), manifest) }
            let names = real.map { Set($0.map { $0.path.split(separator: "/").last.map(String.init) ?? "" }) }
            #expect(names[0] == ["config.json"])
            #expect(names[1] == ["tug", "q", "opt-user", "passing", "yk", "early", "bt", "deep", "own-test"])
            let all = names.reduce(into: Set()) { $0.formUnion($1) }
            let followed = ["winny", "toolsmith", "buoy_mixed", "maybe-on", "maybe-weak", "early-one", "bt-old", "mid"]
            #expect(all.isSuperset(of: followed), "\(names)")
            #expect(all.isDisjoint(with: ["maybe-off", "never-dev", "yk-new", "early-two"]), "\(names)")
        }
    }

    @Test func `of a name that is not there both try the other spellings, and give up`() async throws {
        try await ResolveScene.with { scene in
            try await scene.publishGraph()
            let manifest = try scene.project("gone-from_here = { version = \"1\", REG }\n" + ResolveScene.dependencies)
            let real = try await scene.asked { try await scene.lock(try scene.cargo(), manifest, succeeds: false) }
            let ours = try await scene.asked {
                try await scene.resolve(["--manifest", "\(manifest)/Cargo.toml"], succeeds: false)
            }
            #expect(real.joined().contains { $0.path.hasSuffix("/gone-from-here") })
            #expect(ours == real)
        }
    }

    @Test func `with a lock file in an empty home the crates come last, all at once`() async throws {
        try await ResolveScene.with { scene in
            try await scene.publishGraph()
            let manifest = try scene.project(ResolveScene.dependencies)
            _ = try await scene.asked { try await scene.lock(try scene.cargo(), manifest, keepsFile: true) }
            let cargo = try scene.cargo()
            let real = try await scene.asked {
                let run = try await cargo.run(["fetch", "--locked"], in: manifest)
                #expect(run.status == 0, "\(run.text)")
            }
            let crates = try #require(real.last)
            #expect(crates.count > 15 && crates.allSatisfy { $0.path.contains("/dl/") || $0.path.contains("/crates/") })
            let files = ["--manifest", "\(manifest)/Cargo.toml", "--lock", "\(manifest)/Cargo.lock"]
            for arguments in [files, Array(files[2...])] {
                let ours = try await scene.asked { try await scene.resolve(arguments + ["--home", "locked"]) }
                #expect(ours == real, "\(arguments)")
            }
        }
    }

    @Test func `a private repository is asked without a token once, and then always with it`() async throws {
        try await ResolveScene.with(isPrivate: true) { scene in
            try await scene.publishGraph()
            let manifest = try scene.project("deep = { version = \"1\", REG }\nyk = { version = \"1\", REG }\n")
            let real = try await scene.asked { try await scene.lock(try scene.cargo(), manifest) }
            let token = scene.folder + "/token"
            try scene.registrar.token.write(toFile: token, atomically: true, encoding: .utf8)
            let ours = try await scene.asked {
                try await scene.resolve(["--manifest", "\(manifest)/Cargo.toml", "--token-file", token])
            }
            #expect(real.prefix(2).map { $0.map { $0.token != nil } } == [[false], [true]])
            #expect(real.dropFirst(2).joined().allSatisfy { $0.token == scene.registrar.token })
            #expect(ours == real)
        }
    }

    @Test func `the head of a request is cargo's but for its name`() async throws {
        try await ResolveScene.with { scene in
            try await scene.publishGraph()
            let manifest = try scene.project("deep = { version = \"1\", REG }\n")
            _ = try await scene.asked { try await scene.lock(try scene.cargo(), manifest) }
            let real = try #require(scene.balancer.heard.last)
            _ = try await scene.asked { try await scene.resolve(["--manifest", "\(manifest)/Cargo.toml"]) }
            let ours = try #require(scene.balancer.heard.last)
            func lines(_ text: String) -> [String] {
                text.components(separatedBy: "\r\n").filter { !$0.lowercased().hasPrefix("user-agent:") }.map { line in
                    let parts = line.split(separator: ":", maxSplits: 1)
                    return parts.count == 2 ? "\(parts[0].lowercased()):\(parts[1])" : line
                }
            }
            #expect(lines(ours) == lines(real))
            #expect(real.contains("User-Agent: cargo/1.") && ours.contains("cargo/1."))
        }
    }
}
