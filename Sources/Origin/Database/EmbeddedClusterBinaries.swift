import FoundationEssentials
import Subprocess

/// An installed PostgreSQL server: where its programs are, and its major version.
struct EmbeddedClusterBinaries: Equatable, Sendable {
    let folder: String
    let version: Int

    /// The version that existing data needs, or the newest for new data.
    ///
    /// - Parameter needed: what `PG_VERSION` of the data says; nil if there is none yet.
    static func choose(
        _ installed: [EmbeddedClusterBinaries], needed: Int?, folder: String
    ) throws(EmbeddedClusterError) -> EmbeddedClusterBinaries {
        guard let newest = installed.max(by: { $0.version < $1.version }) else { throw .noBinaries }
        guard let needed else { return newest }
        guard let match = installed.first(where: { $0.version == needed }) else {
            let versions = Set(installed.map(\.version)).sorted()
            throw .otherVersion(needed: needed, installed: versions, folder: folder)
        }
        return match
    }

    /// Everything in the places where packages put it, and on PATH.
    static func installed() async -> [EmbeddedClusterBinaries] {
        var found: [EmbeddedClusterBinaries] = []
        for folder in candidates() {
            let programs = ["initdb", "pg_ctl", "postgres"]
            guard programs.allSatisfy({ FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)") }),
                let version = await version(of: "\(folder)/postgres")
            else { continue }
            found.append(EmbeddedClusterBinaries(folder: folder, version: version))
        }
        return found
    }

    private static func candidates() -> [String] {
        let debian = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: debian)) ?? []
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let rest = ["/usr/local/pgsql/bin"] + path.split(separator: ":").map(String.init)
        return versions.sorted().map { "\(debian)/\($0)/bin" } + rest
    }

    /// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → 15.
    static func majorVersion(in text: String) -> Int? {
        guard let word = text.split(separator: " ").first(where: { $0.first?.isNumber == true }) else { return nil }
        return Int(word.prefix { $0.isNumber })
    }

    private static func version(of program: String) async -> Int? {
        // A program that does not start is no installation; the others are still looked at.
        let ended = try? await Subprocess.run(
            .name("sh"), arguments: ["-c", #"exec "$0" --version"#, program], output: .string(limit: 4096))
        return ended.flatMap { $0.terminationStatus.isSuccess ? majorVersion(in: $0.standardOutput) : nil }
    }
}
