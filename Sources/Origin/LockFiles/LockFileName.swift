/// What a stored lock file is called in its repository: `team/app`, `app@main`.
///
/// Parts of letters, digits, `-`, `_`, `.`, `@` and `+` with `/` between them, each with a letter or digit first; 1...128
/// bytes. So a name stands in an address as it is, and no part of it is `..`.
package struct LockFileName: Hashable, Sendable, CustomStringConvertible {
    package static let bytesMax = 128

    package let description: String

    package init(_ text: String) throws(Invalid) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.count <= Self.bytesMax else { throw .tooLong(text) }
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.allSatisfy({ $0.first?.isLetterOrDigit == true && $0.allSatisfy(\.isAllowedInLockFileName) }) else {
            throw .badCharacter(text)
        }
        description = text
    }
}

extension LockFileName {
    package enum Invalid: Error, Hashable, CustomStringConvertible {
        case empty
        case tooLong(String)
        case badCharacter(String)

        package var description: String {
            switch self {
            case .empty: "a lock file needs a name, such as `team/app`"
            case .tooLong(let name):
                "`\(name.prefix(40))…` is longer than the \(LockFileName.bytesMax) bytes that the name of a lock file may have"
            case .badCharacter(let name):
                "`\(name)` cannot name a lock file: write parts of letters, digits and `-_.@+`, each with a letter or "
                    + "digit first, with `/` between them, such as `team/app@main`"
            }
        }
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }

    fileprivate var isAllowedInLockFileName: Bool { isLetterOrDigit || "-_.@+".utf8.contains(self) }
}
