/// The name of a repository, as it stands first in every address: `main` in `/main/index/…`.
///
/// 1...64 bytes: a lower-case letter, then lower-case letters, digits or `-`. Names that are the first part of
/// another address (`api`, `edge`, …) are refused.
/// Source: docs/PROTOCOL.md, "Addresses".
package struct RepositoryName: Hashable, Sendable, CustomStringConvertible {
    package static let bytesMax = 64
    package static let taken: Set<String> = [
        "api", "edge", "t", "me", "dl", "index", "crates", "healthz", "readyz", "metrics", "static",
    ]

    package let description: String

    package init(_ text: String) throws(Invalid) {
        guard let first = text.utf8.first else { throw .empty }
        guard text.utf8.count <= Self.bytesMax else { throw .tooLong(text) }
        guard first.isLowerLetter, text.utf8.allSatisfy(\.isAllowedInRepository) else { throw .badCharacter(text) }
        guard !Self.taken.contains(text) else { throw .taken(text) }
        description = text
    }
}

extension RepositoryName {
    package enum Invalid: Error, Hashable, CustomStringConvertible {
        case empty
        case tooLong(String)
        case badCharacter(String)
        case taken(String)

        package var description: String {
            switch self {
            case .empty:
                "a repository needs a name"
            case .tooLong(let name):
                "`\(name)` is longer than the \(RepositoryName.bytesMax) characters that a repository name may have"
            case .badCharacter(let name):
                "`\(name)` cannot name a repository: begin with a letter from a to z, go on with a to z, 0 to 9 and `-`"
            case .taken(let name):
                "`\(name)` cannot name a repository, because addresses that begin so have another meaning"
            }
        }
    }
}

extension UInt8 {
    fileprivate var isLowerLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }

    fileprivate var isAllowedInRepository: Bool {
        isLowerLetter || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || self == UInt8(ascii: "-")
    }
}
