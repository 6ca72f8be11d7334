/// What is known of a version's licence, from nothing at all to a whole expression.
package struct LicenseFacts: Hashable, Sendable {
    /// Which of the fields below mean something.
    package enum State: String, Hashable, Sendable, Codable {
        /// There is an expression and it could be read: `expression`, `ids`, `unknownIDs`.
        case expression
        /// There is text, but no expression: `problem` says why.
        case unreadable
        /// The manifest names a file with the terms and no expression.
        case file
        /// The manifest says nothing of a licence.
        case none
        /// The manifest was not read yet: of a version that an upstream has and nobody fetched.
        case unknown
    }

    package let state: State
    /// As the manifest has it.
    package let text: String?
    /// The same in the one canonical spelling.
    package let expression: String?
    /// Every licence in it once, in the order of reading: `Apache-2.0 WITH LLVM-exception`.
    package let ids: [String]
    /// Those of `ids` that neither the SPDX list has nor `LicenseRef-…` announces.
    package let unknownIDs: [String]
    package let problem: String?

    package static let unknown = LicenseFacts(state: .unknown)

    /// - Parameters:
    ///   - text: `package.license`; white space at the ends does not count.
    ///   - hasFile: true if `package.license-file` names one.
    package init(text: String?, hasFile: Bool) {
        guard let text = text?.trimmed, !text.isEmpty else {
            self.init(state: hasFile ? .file : .none)
            return
        }
        do {
            self.init(text: text, tree: try LicenseTree(text))
        } catch {
            self.init(state: .unreadable, text: text, problem: "\(error)")
        }
    }

    private init(text: String, tree: LicenseTree) {
        let terms = tree.terms
        func once(_ ids: [String]) -> [String] {
            var seen: Set<String> = []
            return ids.filter { seen.insert($0).inserted }
        }
        self.init(
            state: .expression, text: text, expression: "\(tree)", ids: once(terms.map(\.description)),
            unknownIDs: once(terms.filter { !$0.isKnown && !$0.isReference }.map(\.description)))
    }

    private init(
        state: State, text: String? = nil, expression: String? = nil, ids: [String] = [], unknownIDs: [String] = [],
        problem: String? = nil
    ) {
        self.state = state
        self.text = text
        self.expression = expression
        self.ids = ids
        self.unknownIDs = unknownIDs
        self.problem = problem
    }

    /// The expression as a tree; nil in every state but `expression`.
    package var tree: LicenseTree? { expression.flatMap { try? LicenseTree($0) } }
}

extension LicenseFacts: Codable {
    private enum CodingKeys: String, CodingKey {
        case state, text, expression, ids
        case unknownIDs = "unknown_ids"
        case problem
    }

    // By hand, so that what is absent stands as null: a policy can ask for each field by its name.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(state, forKey: .state)
        try container.encode(text, forKey: .text)
        try container.encode(expression, forKey: .expression)
        try container.encode(ids, forKey: .ids)
        try container.encode(unknownIDs, forKey: .unknownIDs)
        try container.encode(problem, forKey: .problem)
    }
}

extension String {
    /// Without white space at both ends.
    fileprivate var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace ?? false { rest.removeFirst() }
        while rest.last?.isWhitespace ?? false { rest.removeLast() }
        return String(rest)
    }
}
