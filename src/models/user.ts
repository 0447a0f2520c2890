import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

import { idColumn, momentColumn, tableOptions } from './columns.ts';
import { MAX_LENGTHS, type UserRole } from './vocabulary.ts';

/**
 * Someone who may use the hub. The default scope has no password hash (`passwordHash` is undefined there); scope `currentUser`
 * also leaves out disabled users, scope `loginUser` has everybody, with the hash.
 */
export class User extends Model<InferAttributes<User>, InferCreationAttributes<User>> {
  declare id: CreationOptional<string>;
  /** Stored in lower case. Nothing else is normalised: mail providers differ in what they ignore. */
  declare email: string;
  /** Stored in lower case; never holds an @, so that no user name reads as somebody's email. */
  declare username: string;
  declare passwordHash: string;
  declare role: UserRole;
  declare disabledAt: CreationOptional<Date | null>;
  /** Raised by one with every change that a client can make; the ETag. */
  declare version: CreationOptional<number>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;

  isActive(): boolean {
    return this.disabledAt === null;
  }

  /** The user whom a login names by email or user name, in any case, with the password hash; also a disabled one. */
  static findForLogin(credential: string): Promise<User | null> {
    const value = credential.toLowerCase();
    return this.scope('loginUser').findOne({
      where: value.includes('@') ? { email: value } : { username: value },
    });
  }

  /** `create()` gives an instance that has the hash: it must not reach a log or a client from there. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- Sequelize's signature
  override toJSON<T extends InferAttributes<User>>(): T;
  override toJSON(): object {
    return Object.fromEntries(
      Object.entries(this.get()).filter(([name]) => name !== 'passwordHash'),
    );
  }

  static initModel(sequelize: Sequelize): typeof User {
    return this.init(
      {
        id: idColumn(),
        email: {
          type: DataTypes.STRING(MAX_LENGTHS.email),
          allowNull: false,
          set(value: string) {
            this.setDataValue('email', value.toLowerCase());
          },
        },
        username: {
          type: DataTypes.STRING(MAX_LENGTHS.username),
          allowNull: false,
          set(value: string) {
            this.setDataValue('username', value.toLowerCase());
          },
        },
        passwordHash: { type: DataTypes.TEXT, allowNull: false },
        role: { type: DataTypes.TEXT, allowNull: false },
        disabledAt: { type: DataTypes.DATE, allowNull: true },
        version: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 1 },
        createdAt: momentColumn(),
        updatedAt: momentColumn(),
      },
      {
        ...tableOptions<User>(sequelize, 'users'),
        defaultScope: { attributes: { exclude: ['passwordHash'] } },
        scopes: {
          currentUser: { where: { disabledAt: null }, attributes: { exclude: ['passwordHash'] } },
          loginUser: {},
        },
      },
    );
  }
}
