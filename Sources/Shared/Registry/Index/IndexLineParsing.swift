extension IndexLine {
    /// Reads a line of any registry, strictly: whatever would make some cargo drop the version is refused.
    ///
    /// Unknown fields are left out. Import uses it, and the origin before it serves a stored line.
    /// - Parameter line: one JSON object; white space around it does no harm.
    package init(parsing line: some StringProtocol) throws(Invalid) {
        try self.init(parsing: Array(line.utf8))
    }

    /// - Parameter line: UTF-8.
    package init(parsing line: [UInt8]) throws(Invalid) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: line)
        } catch {
            throw .json(error)
        }
        guard let object = value.object else { throw .notAnObject }
        try self.init(parsing: object)
    }

    /// - Parameter object: of a line whose JSON has been read.
    package init(parsing object: JSONObject) throws(Invalid) { try self.init(FieldReader(object)) }

    private init(_ fields: FieldReader) throws(Invalid) {
        let features2 = try fields.features("features2", mayBeNull: true)
        self.init(
            name: try fields.check("name", try fields.text("name")) { try? CrateName($0) },
            version: try fields.check("vers", try fields.text("vers")) { try? Version($0) },
            dependencies: try Self.dependencies(fields),
            checksum: try fields.check("cksum", try fields.text("cksum")) { Checksum(hex: $0) },
            features: try fields.features("features", mayBeNull: false),
            features2: features2,
            isYanked: try fields.has("yanked") ? fields.bool("yanked") ?? false : false,
            links: try fields.optionalText("links"),
            rustVersion: try fields.optionalText("rust_version") { RustVersion($0) != nil }.flatMap { RustVersion($0) },
            format: try Self.format(fields),
            pubtime: try fields.optionalText("pubtime") { Pubtime($0) != nil }.flatMap { Pubtime($0) })
    }

    private static func dependencies(_ fields: FieldReader) throws(Invalid) -> [IndexDependency] {
        var dependencies: [IndexDependency] = []
        for (place, value) in try fields.array("deps").enumerated() {
            guard let object = value.object else { throw fields.invalid("deps", "must be a list of objects") }
            dependencies.append(try IndexDependency(FieldReader(object, context: "dependency \(place + 1)")))
        }
        return dependencies
    }

    private static func format(_ fields: FieldReader) throws(Invalid) -> Int {
        guard let value = fields.present("v") else { return 1 }
        guard case .number(let text) = value, let number = UInt32(text), !text.hasPrefix("-") else {
            throw fields.invalid("v", "must be a whole number")
        }
        guard number <= 2 else { throw fields.invalid("v", "is \(number), a format that no stable cargo reads") }
        return Int(max(number, 1))
    }
}

extension IndexLine {
    package enum Invalid: Error, Hashable, CustomStringConvertible {
        case json(JSONValue.Invalid)
        case notAnObject
        /// A field and what is wrong with it.
        case field(String, String)

        package var description: String {
            switch self {
            case .json(let reason): "the index line is \(reason)"
            case .notAnObject: "the index line is no JSON object"
            case .field(let name, let what): "the index line's field `\(name)` \(what)"
            }
        }
    }
}
