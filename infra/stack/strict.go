package stack

// deploymentTag marks the keys of a deployment; its value is the prefix.
const deploymentTag = "paddock:deployment"

// narrow returns the statements that come on top of a function's rights under
// the parameter StrictConditions. All are denials; but for LocksAreLong and
// NumbersOnly, which names the topics that no message goes to, they have a negative operator, so that a condition key absent from a request
// denies it. Without a lock a request already fails ObjectsAreLocked.
func (s *deployment) narrow(function string) []statement {
	switch function {
	case "provision":
		return []statement{
			s.denyKeys("kms:DescribeKey", "kms:GenerateDataKey", "kms:PutKeyPolicy"),
			{
				sid: "NewKeysAreTagged", deny: true, actions: []string{"kms:CreateKey"}, resources: []any{"*"},
				conditions: map[string]map[string]any{
					"StringNotEquals": {"aws:RequestTag/" + deploymentTag: s.props.Prefix},
				},
			},
			{
				// Both must differ: a new key has no tag yet, an old one may
				// get a second tag.
				sid: "TagsStayOurs", deny: true, actions: []string{"kms:TagResource"}, resources: []any{"*"},
				conditions: map[string]map[string]any{
					"StringNotEquals": {
						"aws:RequestTag/" + deploymentTag:  s.props.Prefix,
						"aws:ResourceTag/" + deploymentTag: s.props.Prefix,
					},
				},
			},
		}
	case "signin", "api":
		return []statement{s.denyKeys("kms:Decrypt")}
	case "tasks":
		return []statement{
			s.denyKeys("kms:Decrypt"), s.denyUnless("SenderIsOurs",
				[]string{"ses:SendEmail"}, []any{"*"}, "ses:FromAddress", s.props.MailSender),
			{sid: "NumbersOnly", deny: true, actions: []string{"sns:Publish"}, resources: []any{s.arn("sns", "*")}},
		}
	case "archive":
		return s.narrowArchive()
	}
	return nil
}

func (s *deployment) narrowArchive() []statement {
	writes := []string{"s3:PutObject", "s3:PutObjectRetention"}
	signs := []string{"kms:Sign"}
	key := s.resource("archive", "signing-key")
	return []statement{
		s.denyUnless("ObjectsAreLocked", writes, []any{s.auditObjects()},
			"s3:object-lock-mode", string(s.props.AuditLock)),
		{
			// One day less than the setting, as the remaining days are
			// counted from the time of arrival.
			sid: "LocksAreLong", deny: true, actions: writes, resources: []any{s.auditObjects()},
			conditions: map[string]map[string]any{
				"NumericLessThan": {"s3:object-lock-remaining-retention-days": s.props.RetentionDays - 1},
			},
		},
		s.denyUnless("SignsEd25519", signs, key, "kms:SigningAlgorithm", signingAlgorithm),
		s.denyUnless("SignsRaw", signs, key, "kms:MessageType", "RAW"),
	}
}

// denyKeys denies the actions on keys that are not the deployment's.
func (s *deployment) denyKeys(actions ...string) statement {
	return s.denyUnless("KeysAreOurs", actions, []any{s.arn("kms", "key/*")},
		"aws:ResourceTag/"+deploymentTag, s.props.Prefix)
}

func (s *deployment) denyUnless(sid string, actions []string, resources []any, key, value string) statement {
	return statement{
		sid: sid, deny: true, actions: actions, resources: resources,
		conditions: map[string]map[string]any{"StringNotEquals": {key: value}},
	}
}
