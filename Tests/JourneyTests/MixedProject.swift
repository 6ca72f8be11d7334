import Foundation
import TestSupport
import Testing

/// A private crate that needs crates of crates.io, and an application that needs it.
enum MixedProject {
    /// Only our registry; crates.io is a folder that does not exist.
    static func alone(_ index: String) -> String {
        """
        [registries.longshore]
        index = "\(index)"
        [source.crates-io]
        replace-with = "nowhere"
        [source.nowhere]
        directory = "/nonexistent/nowhere"
        """
    }

    /// From a machine that reaches crates.io, for which the repository stands in.
    static func publish(_ system: LiveSystem) async throws {
        let folder = system.folder + "/quay"
        try write(
            """
            [package]
            name = "quay"
            version = "1.0.0"
            edition = "2021"
            description = "made for a test"
            license = "MIT"

            [dependencies]
            adler = "1"
            anstyle-parse = "0.2"
            """, to: folder + "/Cargo.toml")
        try write(
            "pub fn sum(text: &str) -> u32 { adler::adler32_slice(text.as_bytes()) }\n", to: folder + "/src/lib.rs")
        let cargo = try RealCargo(
            in: system.folder,
            configuration: """
                [registries.longshore]
                index = "\(system.edges[0].index("main"))"
                [source.crates-io]
                replace-with = "through"
                [source.through]
                registry = "\(system.edges[0].index("main"))"
                """)
        let token = try await system.origin.token("ann", ["--action", "publish-new"])
        let published = try await cargo.run(
            ["publish", "--registry", "longshore", "--allow-dirty", "--no-verify"], in: folder,
            environment: ["CARGO_REGISTRIES_LONGSHORE_TOKEN": token])
        try #require(published.status == 0, "\(published.text)")
    }

    static func makeApp(in parent: String) throws -> String {
        let folder = parent + "/app"
        try write(
            """
            [package]
            name = "app"
            version = "0.1.0"
            edition = "2021"

            [dependencies]
            quay = { version = "1", registry = "longshore" }
            """, to: folder + "/Cargo.toml")
        try write("fn main() { println!(\"adler {}\", quay::sum(\"Wikipedia\")); }\n", to: folder + "/src/main.rs")
        return folder
    }

    private static func write(_ text: String, to path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
}
