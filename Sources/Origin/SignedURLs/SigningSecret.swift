import Crypto
import FoundationEssentials

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Finds the secret that private signing keys are sealed with: the setting, or a file of the data folder.
///
/// The file, mode 0600, is made at the first start. Replicas share the data folder as they share the blobs in it;
/// replicas that do not need the same `signing-secret`.
enum SigningSecret {
    private static let setting = "`signing-secret`"

    static func path(_ config: OriginConfig) -> String { config.dataFolder + "/signing-secret" }

    /// For `serve`: makes the file if there is none.
    static func findOrMake(_ config: OriginConfig) throws -> KeySeal {
        if let secret = config.signingSecret { return try KeySeal(secret: secret, source: setting) }
        let path = path(config)
        if !FileManager.default.fileExists(atPath: path) { try make(path, in: config.dataFolder) }
        return try read(path)
    }

    /// For commands: one that makes a secret of its own would only hide that it looks at the wrong folder.
    static func find(_ config: OriginConfig) throws -> KeySeal {
        if let secret = config.signingSecret { return try KeySeal(secret: secret, source: setting) }
        let path = path(config)
        guard FileManager.default.fileExists(atPath: path) else {
            throw KeySeal.Failure(
                description: "there is no signing secret in \(path): start `longshore-origin serve` on this data "
                    + "folder once, or give the secret that it uses with `--signing-secret-file`")
        }
        return try read(path)
    }

    private static func read(_ path: String) throws -> KeySeal {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw KeySeal.Failure(description: "the signing secret in \(path) can't be read; check who owns the file")
        }
        let text = String(decoding: data.prefix(4096), as: UTF8.self).filter { !$0.isWhitespace }
        return try KeySeal(secret: text, source: path)
    }

    /// Written aside and then linked: of several replicas that start at once one wins, and none reads half a file.
    private static func make(_ path: String, in folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let draft = "\(path).\(UUID().uuidString)"
        let secret = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0).base64EncodedString() }
        try SecretFile.write(secret, to: draft)
        defer { unlink(draft) }
        guard link(draft, path) == 0 || errno == EEXIST else {
            throw KeySeal.Failure(
                description: "the signing secret can't be written to \(path): \(String(cString: strerror(errno)))")
        }
    }
}
