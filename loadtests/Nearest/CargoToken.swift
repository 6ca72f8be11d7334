import CrateFile
import FoundationEssentials
import Registry

/// A token for a private repository, and where cargo is to take it from when it asks the edge.
struct CargoToken: Sendable {
    enum Place: Hashable, Sendable {
        /// An absolute path.
        case file(String)
        case environment(String)
        /// `credentials.toml` of cargo, where `cargo login` put it.
        case credentials
    }

    let secret: String
    let place: Place

    /// `CARGO_REGISTRIES_MAIN_TOKEN`, as cargo forms it from a registry's name.
    static func variable(_ registry: String) -> String {
        "CARGO_REGISTRIES_\(registry.uppercased().replacing("-", with: "_"))_TOKEN"
    }

    /// The first of: the file, the registry's variable, what `cargo login` kept.
    ///
    /// - Throws: `BenchFailure` if a file that was named can't be read.
    static func find(
        file: String?, registry: String, home: String, environment: [String: String]
    ) throws(BenchFailure) -> CargoToken? {
        if let file {
            let path = file.hasPrefix("/") ? file : FileManager.default.currentDirectoryPath + "/" + file
            guard let text = try? String(contentsOfFile: path, encoding: .utf8),
                let secret = text.split(whereSeparator: \.isWhitespace).first
            else { throw BenchFailure("\(path) holds no token; check --token-file") }
            return CargoToken(secret: String(secret), place: .file(path))
        }
        let variable = variable(registry)
        if let secret = environment[variable], !secret.isEmpty {
            return CargoToken(secret: secret, place: .environment(variable))
        }
        for name in ["credentials.toml", "credentials"] {
            guard let text = try? String(contentsOfFile: "\(home)/\(name)", encoding: .utf8),
                let secret = (try? ManifestReader.read(text))?["registries"]?[registry]?["token"]?.string
            else { continue }
            return CargoToken(secret: secret, place: .credentials)
        }
        return nil
    }

    /// The value of `credential-provider` with which cargo finds the same token for the edge.
    var provider: [String] {
        switch place {
        case .file(let path): ["cargo:token-from-stdout", "cat", path]
        case .environment(let name): ["cargo:token-from-stdout", "printenv", name]
        case .credentials: ["cargo:token"]
        }
    }
}
