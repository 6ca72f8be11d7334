import FoundationEssentials
import Hosting

/// The public address that `serve` was last given on a data folder, so that commands there print the same index URLs.
enum ServedAddress {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static func file(_ config: OriginConfig) -> String { config.dataFolder + "/public-url" }

    /// - Throws: `Failure` if the data folder can't be made or written.
    static func remember(_ config: OriginConfig) throws(Failure) {
        do {
            try FileManager.default.createDirectory(atPath: config.dataFolder, withIntermediateDirectories: true)
            let line = Data((config.addresses.base + "\n").utf8)
            try line.write(to: URL(filePath: file(config)), options: .atomic)
        } catch {
            throw Failure(
                description: "the data folder \(config.dataFolder) can't be written: \(Explanation.of(error))")
        }
    }

    /// For a command whose own settings name no public address.
    ///
    /// - Returns: nil if `serve` never ran on this data folder.
    static func recall(_ config: OriginConfig) -> String? {
        guard let data = FileManager.default.contents(atPath: file(config)) else { return nil }
        let text = String(decoding: data, as: UTF8.self).filter { !$0.isWhitespace }
        return text.isEmpty ? nil : text
    }
}
