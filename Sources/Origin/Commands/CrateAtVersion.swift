import ArgumentParser
import Registry

/// A version of a crate on the command line: `smallvec@1.6.0`.
struct CrateAtVersion: ExpressibleByArgument, Sendable {
    let name: CrateName
    let version: Version

    init?(argument: String) {
        let parts = argument.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let name = try? CrateName(String(parts[0])),
            let version = try? Version(String(parts[1]))
        else { return nil }
        self.name = name
        self.version = version
    }

    static let help: ArgumentHelp = "A crate and its version, as in tidewater@0.1.0."
}
